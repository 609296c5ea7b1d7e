"""Mistakes drawn: sheets of the worst and of suspected labels, the most confused classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from residua.insight.evaluation.predictions import Predictions
from residua.insight.mistakes.numbers import Mistakes
from residua.insight.shared.plotting import BLACK, BLUE, GREEN, GREY, ORANGE, new_figure, tidy, whole_ticks
from residua.insight.shared.sheets import picture_sheet
from residua.insight.shared.text import TITLE, short_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LETTERS = 15  # of a class's name above a picture


def mistakes_figure(mistakes: Mistakes, show: int = 40) -> Figure:
    """A sheet of the worst mistakes: true class, first and second guess with their probabilities.

    Without mistakes it shows, happily, the right answers that were the least sure.
    """
    a = mistakes.answered
    if not len(mistakes):
        least = np.argsort(a.probabilities.max(axis=1), kind="stable")[: min(show, 16)]
        captions = [
            [(short_label(a.classes[a.labels[index]], LETTERS), BLACK), _guess(mistakes, index, 0, GREEN)]
            for index in least
        ]
        return picture_sheet(
            _images(a, least), captions,
            f"{_title(a)}: no mistakes, all {len(a):,} pictures are right\n"
            "the least sure of the right answers",
        )  # fmt: skip
    indices = mistakes.places[:show]
    captions = []
    for index in indices:
        lines = [
            (f"is {short_label(a.classes[a.labels[index]], LETTERS)}", BLACK),
            _guess(mistakes, index, 0, ORANGE),
        ]
        if mistakes.order.shape[1] > 1:
            right = mistakes.order[index, 1] == a.labels[index]
            lines.append(_guess(mistakes, index, 1, BLUE if right else GREY))
        captions.append(lines)
    share = 100 * len(mistakes) / len(a)
    which = "all of them" if len(indices) == len(mistakes) else f"the {len(indices)} worst"
    title = (
        f"{_title(a)}: {len(mistakes):,} of {len(a):,} wrong ({share:.2f} %), {which}, worst first\n"
        "true class; first guess (orange); second guess (blue where it is right)"
    )
    return picture_sheet(_images(a, indices), captions, title)


def label_errors_figure(mistakes: Mistakes, show: int = 40) -> Figure:
    """A sheet of the most suspicious labels: the given one, and what the picture seems to be."""
    a, errors = mistakes.answered, mistakes.label_errors
    indices = errors.places[:show]
    if not len(indices):
        figure = new_figure(6, 1.6)
        figure.suptitle(f"{_title(a)}: no label is suspected to be wrong", fontsize=11, y=0.6)
        return figure
    captions = []
    for index, seems in zip(indices.tolist(), errors.suspected.tolist(), strict=False):
        probability = 100 * float(a.probabilities[index, seems])
        captions.append(
            [
                (f"labelled {short_label(a.classes[a.labels[index]], LETTERS)}", BLACK),
                (f"{short_label(a.classes[seems], LETTERS)}: {probability:.0f} %", ORANGE),
            ]
        )
    title = (
        f"{_title(a)}: labels suspected by confident learning, {len(indices)} of {len(errors):,}\n"
        "given label; what it seems to be (the model may be wrong instead)"
    )
    return picture_sheet(_images(a, indices), captions, title)


def pairs_figure(mistakes: Mistakes) -> Figure:
    """The most confused pairs of classes as bars."""
    a, pairs = mistakes.answered, mistakes.pairs[::-1]
    figure = new_figure(8, 1.4 + 0.26 * max(len(pairs), 2))
    axes = figure.subplots()
    tidy(axes)
    if not pairs:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "no mistakes, so no pairs", ha="center", transform=axes.transAxes)
    counts = np.bincount(a.labels, minlength=len(a.classes))
    for index, (true, _, number) in enumerate(pairs):
        axes.barh(index, number, color=BLUE)
        share = 100 * number / counts[true]
        axes.text(number, index, f" {number:,} ({share:.1f} % of the class)", va="center", fontsize=8)
    names = [f"{short_label(a.classes[t], 26)}  →  {short_label(a.classes[g], 26)}" for t, g, _ in pairs]
    axes.set_yticks(range(len(pairs)), names, fontsize=8)
    axes.margins(x=0.28)
    axes.set_ylim(-0.6, max(len(pairs), 1) - 0.4)
    axes.grid(visible=False, axis="y")
    whole_ticks(axes.xaxis)
    axes.set_xlabel("pictures")
    covered = sum(number for _, _, number in pairs)
    axes.set_title(
        f"{_title(a)}: most confused, true class → answer ({covered:,} of {len(mistakes):,} mistakes)",
        fontsize=10,
    )
    return figure


def _guess(mistakes: Mistakes, index: int, number: int, color: str) -> tuple[str, str]:
    a, guess = mistakes.answered, mistakes.order[index, number]
    return f"{short_label(a.classes[guess], LETTERS)}: {100 * a.probabilities[index, guess]:.0f} %", color


def _images(answered: Predictions, indices: NDArray[np.int64]) -> NDArray[np.uint8]:
    return np.stack([answered.pictures.images[index] for index in indices])


def _title(answered: Predictions) -> str:
    return short_label(answered.title, TITLE)
