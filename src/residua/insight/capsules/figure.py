"""Capsules drawn: pictures beside their reconstructions, and each number of a class capsule varied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from residua.insight.capsules.numbers import STEPS, CapsuleSample, Floats, vary_dimensions
from residua.insight.shared.plotting import ORANGE, new_figure
from residua.insight.shared.sheets import shades, without_grey_axis
from residua.insight.shared.text import short_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLOCKS = 3  # classes whose dimensions are varied


def reconstructions_figure(sample: CapsuleSample) -> Figure:
    """The pictures, and below each what the decoder draws from the capsule of the network's answer."""
    drawings = sample.draw(sample.capsules, sample.answers)
    names = sample.model.classes
    columns = min(len(drawings), 10)
    rows = -(-len(drawings) // columns)
    figure = new_figure(1.0 * columns + 0.4, 2.3 * rows + 0.6)
    # First one picture of each class, then the other.
    order = np.argsort(_repeats(sample.labels), kind="stable")
    axes = figure.subplots(2 * rows, columns, squeeze=False)
    for each in axes.flat:
        each.set_axis_off()
    for number, index in enumerate(order):
        row, column = divmod(number, columns)
        label, answer = (
            short_label(names[place], 16) for place in (sample.labels[index], sample.answers[index])
        )
        _show(axes[2 * row, column], sample.images[index])
        _show(axes[2 * row + 1, column], drawings[index])
        axes[2 * row, column].set_title(label, fontsize=9)
        if sample.answers[index] != sample.labels[index]:
            axes[2 * row + 1, column].set_title(f"as {answer}", fontsize=9, color=ORANGE)
    name = short_label(Path(sample.data).name or sample.data, 40)
    figure.suptitle(
        f"{name}: input above, below it the drawing from its class's capsule",
        fontsize=10,
    )
    return figure


def dimensions_figure(sample: CapsuleSample) -> Figure:
    """What is drawn as each number of a class capsule moves from -0.25 to 0.25 beside its value."""
    firsts = np.flatnonzero(_repeats(sample.labels) == 0)
    chosen = firsts[np.unique(np.linspace(0, len(firsts) - 1, BLOCKS).round().astype(int))]
    dimension = sample.capsules.shape[2]
    figure = new_figure(4.2 * len(chosen) + 0.5, 0.37 * dimension + 1.0)
    axes = figure.subplots(1, len(chosen), squeeze=False)[0]
    for axis, index in zip(axes, chosen, strict=True):
        label = int(sample.labels[index])
        capsules = vary_dimensions(sample.capsules[index], label)
        drawings = sample.draw(capsules, np.full(len(capsules), label))
        _, height, width, channels = drawings.shape
        tiles = drawings.reshape(dimension, len(STEPS), height, width, channels)
        _show(axis, tiles.transpose(0, 2, 1, 3, 4).reshape(dimension * height, -1, channels))
        axis.set_axis_on()
        axis.set_title(short_label(sample.model.classes[label], 40), fontsize=10)
        ticks = range(0, len(STEPS), 5)
        axis.set_xticks(
            [(number + 0.5) * width for number in ticks], [f"{STEPS[number]:+.2f}" for number in ticks]
        )
        rows = range(0, dimension, 1 if dimension <= 16 else dimension // 8)
        axis.set_yticks([(row + 0.5) * height for row in rows], [str(row + 1) for row in rows], fontsize=7)
        axis.set_xlabel("added to the number", fontsize=9)
    axes[0].set_ylabel("number of the capsule", fontsize=9)
    figure.suptitle("Each row: one number of the class's capsule varied, all others kept", fontsize=10)
    return figure


def _repeats(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many earlier places have the same label."""
    return np.array([(labels[:number] == label).sum() for number, label in enumerate(labels)], np.int64)


def _show(axes: Any, picture: Floats) -> None:
    axes.imshow(without_grey_axis(picture), **shades(picture))
