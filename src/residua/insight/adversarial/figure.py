"""Pictures of fooled models: before and after, sheets of noise and of classes, accuracy under attack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from residua.insight.adversarial.class_visualization import ClassPictures, Noise
from residua.insight.adversarial.numbers import Fooling, measure_told, shown_classes
from residua.insight.adversarial.robustness import Robustness
from residua.insight.shared.plotting import (
    BLACK,
    BLUE,
    GREY,
    ORANGE,
    Tiles,
    new_figure,
    picture_sheet,
    shades,
    short,
    tidy,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LETTERS = 15
FACTORS = (1, 2, 5, 10, 20, 50, 100)


def amplification(largest: int) -> int:
    """The factor by which a change is shown: round, and the largest change stays in range."""
    return max((factor for factor in FACTORS if factor * largest <= 127), default=1)


def fooling_figure(found: Fooling) -> Figure:
    """Original, change (amplified about middle grey; the factor is stated), result; probabilities of both."""
    names, (before, after) = found.model.classes, found.answers
    factor = amplification(found.largest)
    change = np.clip(128 + factor * found.change, 0, 255).astype(np.uint8)
    one, two = found.probabilities
    shown = shown_classes(found)
    tall = min(max(found.before.shape[0] / found.before.shape[1], 0.6), 1.5)
    figure = new_figure(8.4, 2.75 * tall + 1.6 + 0.34 * len(shown))
    grid = figure.add_gridspec(2, 3, height_ratios=[2.75 * tall, 0.55 + 0.34 * len(shown)])
    size = f"at most {found.largest}/255 at any pixel\nroot of squares {found.root:.4g}/255"
    cells = (
        (found.before, f"original\n{short(names[before], 26)}: {100 * one[before]:.1f} %"),
        (change, f"change × {factor} (grey: none)\n{size}"),
        (found.after, f"result\n{short(names[after], 26)}: {100 * two[after]:.1f} %"),
    )
    for column, (image, title) in enumerate(cells):
        axes = figure.add_subplot(grid[0, column])
        axes.imshow(
            image[..., 0] if image.shape[-1] == 1 else image, interpolation="nearest", **shades(image)
        )
        axes.set_axis_off()
        axes.set_title(title, fontsize=9)
    axes = figure.add_subplot(grid[1, :])
    tidy(axes)
    for offset, row, colour, label in ((-0.19, one, BLUE, "before"), (0.19, two, ORANGE, "after")):
        places = np.arange(len(shown)) + offset
        values = [100 * float(row[place]) for place in shown]
        axes.barh(places, values, 0.36, color=colour, label=label)
        for place, value in zip(places, values, strict=True):
            axes.text(value + 0.8, place, f"{value:.1f} %", va="center", fontsize=8)
    axes.set_yticks(range(len(shown)), [short(names[place], 26) for place in shown], fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, 112)
    axes.set_xticks(range(0, 101, 20))
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("probability (%)")
    axes.legend(fontsize=8, loc="lower right")
    least = f"the least found: {measure_told(found, found.size)}" if found.searched else ""
    told = least or f"allowed: {measure_told(found, found.size)}"
    figure.suptitle(f"{short(found.file, 40)} under {short(found.model.name, 30)}; {told}", fontsize=10)
    return figure


def noise_figure(found: Noise) -> Figure:
    """Pictures that began as noise, with the classes that the model sees in them."""
    captions = []
    for row, place in enumerate(found.classes):
        share = float(found.probabilities[row, place])
        colour = BLUE if share >= found.confidence else ORANGE
        captions.append([(short(found.model.classes[place], LETTERS), BLACK), (_percent(share), colour)])
    title = (
        f"{found.model.name}: noise, changed until it is seen as a class\n"
        f"{found.reached} of {len(found.classes)} with {100 * found.confidence:g} % or more"
    )
    return _sheet(found.after, captions, title)


def class_figure(found: ClassPictures) -> Figure:
    """What the model takes for its classes, with their probability and score."""
    captions = [
        [
            (short(found.model.classes[place], LETTERS), BLACK),
            (_percent(float(found.probabilities[row, place])), GREY),
        ]
        for row, place in enumerate(found.classes)
    ]
    all_of = len(found.model.classes)
    some = "" if len(found.classes) == all_of else f" ({len(found.classes)} of {all_of:,} classes)"
    title = (
        f"{found.model.name}: pictures that raise a class's score most{some}\nthe class and its probability"
    )
    return _sheet(found.images, captions, title)


def _sheet(images: NDArray[np.uint8], captions: list[list[tuple[str, str]]], title: str) -> Figure:
    """Few pictures large; ten, the usual number of classes, in two full rows."""
    count = len(images)
    if count > 4:
        return picture_sheet(images, captions, title, 5 if count in (9, 10) else 8)
    side = 3.0
    tall = min(max(images.shape[1] / images.shape[2], 0.5), 2.0)
    tiles = Tiles(1, count, side, side * tall, title, above=0.33)
    for column, (image, caption) in enumerate(zip(images, captions, strict=True)):
        tiles.picture(0, column, image)
        for place, (text, colour) in enumerate(reversed(caption)):
            tiles.line(0, column, text, place, colour)
    return tiles.figure


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %" if share > 0.985 else f"{100 * share:.1f} %"


def robustness_figure(found: Robustness) -> Figure:
    """Accuracy against the size of change: one step, many steps, and random signs as the control."""
    figure = new_figure(7.2, 4.6)
    axes = figure.subplots()
    tidy(axes)
    lines = (
        ("random", "o", GREY, "random signs (control)"),
        ("fgsm", "s", BLUE, "fast gradient sign (1 step)"),
        ("pgd", "D", ORANGE, f"projected gradient ({found.steps} steps)"),
    )
    sizes = np.array([0.0, *found.sizes])
    for name, marker, colour, label in lines:
        right = np.array([found.clean, *found.right[name]])
        bounds = 100 * np.array([found.interval(count) for count in right])
        axes.fill_between(sizes, bounds[:, 0], bounds[:, 1], color=colour, alpha=0.15, linewidth=0)
        shares = 100 * right / found.pictures
        axes.plot(sizes, shares, marker=marker, color=colour, label=label, markersize=4.5)
    axes.set_xscale("symlog", base=2, linthresh=float(sizes[1]), linscale=0.6)
    axes.set_xticks(sizes, [f"{size:g}" for size in sizes])
    axes.minorticks_off()
    axes.set_xlim(0, sizes[-1] * 1.04)
    axes.set_ylim(-1.5, 101)
    axes.set_xlabel("largest change of any pixel (steps of 1/255; 0: unchanged)")
    axes.set_ylabel("accuracy (%)")
    axes.legend(fontsize=9)
    axes.set_title(
        f"{found.title}: accuracy under attack\n{found.pictures:,} pictures; shaded: 95 % intervals (Wilson)",
        fontsize=10,
    )
    return figure
