"""Pictures of fooled models: before and after, sheets of noise and of classes, accuracy under attack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from residua.insight.adversarial.class_visualization import ClassPictures
from residua.insight.adversarial.noise import Noise
from residua.insight.adversarial.numbers import Fooling, shown_classes
from residua.insight.adversarial.robustness import Robustness
from residua.insight.adversarial.text import format_size
from residua.insight.shared.plotting import BLACK, BLUE, GREY, ORANGE, new_figure, tidy
from residua.insight.shared.sheets import Margins, Tiles, aspect, picture_sheet, shades, without_grey_axis
from residua.insight.shared.text import TITLE, short_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LETTERS = 15
FACTORS = (1, 2, 5, 10, 20, 50, 100)


def amplification(largest: int) -> int:
    """The factor by which a change is shown: round, and the largest change stays in range."""
    return max((factor for factor in FACTORS if factor * largest <= 127), default=1)


def fooling_figure(result: Fooling) -> Figure:
    """Original, change (amplified about middle grey; the factor is stated), result; probabilities of both."""
    names, (before, after) = result.model.classes, result.answers
    factor = amplification(result.largest)
    change = np.clip(128 + factor * result.change, 0, 255).astype(np.uint8)
    one, two = result.probabilities
    classes = shown_classes(result)
    tall = aspect(result.before, 0.6, 1.5)
    figure = new_figure(8.4, 2.75 * tall + 1.6 + 0.34 * len(classes))
    grid = figure.add_gridspec(2, 3, height_ratios=[2.75 * tall, 0.55 + 0.34 * len(classes)])
    size = f"at most {result.largest}/255 at any pixel\nroot of squares {result.root:.4g}/255"
    cells = (
        (result.before, f"original\n{short_label(names[before], 26)}: {100 * one[before]:.1f} %"),
        (change, f"change × {factor} (grey: none)\n{size}"),
        (result.after, f"result\n{short_label(names[after], 26)}: {100 * two[after]:.1f} %"),
    )
    for column, (image, title) in enumerate(cells):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(without_grey_axis(image), interpolation="nearest", **shades(image))
        axes.set_axis_off()
        axes.set_title(title, fontsize=9)
    axes = figure.add_subplot(grid[1, :])
    tidy(axes)
    for offset, row, color, label in ((-0.19, one, BLUE, "before"), (0.19, two, ORANGE, "after")):
        rows = np.arange(len(classes)) + offset
        values = [100 * float(row[index]) for index in classes]
        axes.barh(rows, values, 0.36, color=color, label=label)
        for index, value in zip(rows, values, strict=True):
            axes.text(value + 0.8, index, f"{value:.1f} %", va="center", fontsize=8)
    axes.set_yticks(range(len(classes)), [short_label(names[index], 26) for index in classes], fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, 112)
    axes.set_xticks(range(0, 101, 20))
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("probability (%)")
    axes.legend(fontsize=8, loc="lower right")
    bound = f"{'the least found' if result.searched else 'allowed'}: {format_size(result, result.size)}"
    figure.suptitle(
        f"{short_label(result.file, 40)} under {short_label(result.model.name, 30)}; {bound}", fontsize=10
    )
    return figure


def noise_figure(result: Noise) -> Figure:
    """Pictures that began as noise, with the classes that the model sees in them."""
    captions = []
    for row, index in enumerate(result.classes):
        share = float(result.probabilities[row, index])
        color = BLUE if share >= result.confidence else ORANGE
        captions.append(
            [(short_label(result.model.classes[index], LETTERS), BLACK), (_percent(share), color)]
        )
    title = (
        f"{result.model.name}: noise, changed until it is seen as a class\n"
        f"{result.reached} of {len(result.classes)} with {100 * result.confidence:g} % or more"
    )
    return _sheet(result.after, captions, title)


def class_figure(result: ClassPictures) -> Figure:
    """What the model takes for its classes, with their probability and score."""
    captions = [
        [
            (short_label(result.model.classes[index], LETTERS), BLACK),
            (_percent(float(result.probabilities[row, index])), GREY),
        ]
        for row, index in enumerate(result.classes)
    ]
    all_of = len(result.model.classes)
    of_all = "" if len(result.classes) == all_of else f" ({len(result.classes)} of {all_of:,} classes)"
    title = (
        f"{result.model.name}: pictures that raise a class's score most{of_all}\n"
        "the class and its probability"
    )
    return _sheet(result.images, captions, title)


def _sheet(images: NDArray[np.uint8], captions: list[list[tuple[str, str]]], title: str) -> Figure:
    """Few pictures large; ten, the usual number of classes, in two full rows."""
    count = len(images)
    if count > 4:
        return picture_sheet(images, captions, title, 5 if count in (9, 10) else 8)
    side = 3.0
    tall = aspect(images[0], 0.5, 2.0)
    tiles = Tiles(1, count, side, side * tall, title, Margins(above=0.33))
    for column, (image, caption) in enumerate(zip(images, captions, strict=True)):
        tiles.captioned(0, column, image, caption)
    return tiles.figure


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %" if share > 0.985 else f"{100 * share:.1f} %"


def robustness_figure(result: Robustness) -> Figure:
    """Accuracy against the size of change: one step, many steps, and random signs as the control."""
    figure = new_figure(7.2, 4.6)
    axes = figure.subplots()
    tidy(axes)
    lines = (
        ("random", "o", GREY, "random signs (control)"),
        ("fgsm", "s", BLUE, "fast gradient sign (1 step)"),
        ("pgd", "D", ORANGE, f"projected gradient ({result.steps} steps)"),
    )
    sizes = np.array([0.0, *result.sizes])
    for name, marker, color, label in lines:
        right = np.array([result.clean, *result.right[name]])
        bounds = 100 * np.array([result.interval(count) for count in right])
        axes.fill_between(sizes, bounds[:, 0], bounds[:, 1], color=color, alpha=0.15, linewidth=0)
        shares = 100 * right / result.pictures
        axes.plot(sizes, shares, marker=marker, color=color, label=label, markersize=4.5)
    axes.set_xscale("symlog", base=2, linthresh=float(sizes[1]), linscale=0.6)
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axes.minorticks_off()
    axes.set_xlim(0, sizes[-1] * 1.04)
    axes.set_ylim(-1.5, 101)
    axes.set_xlabel("largest change of any pixel (steps of 1/255; 0: unchanged)")
    axes.set_ylabel("accuracy (%)")
    axes.legend(fontsize=9)
    axes.set_title(
        f"{short_label(result.title, TITLE)}: accuracy under attack\n"
        f"{result.pictures:,} pictures; shaded: 95 % intervals (Wilson)",
        fontsize=10,
    )
    return figure
