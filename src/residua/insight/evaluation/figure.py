"""The confusion matrix as a picture that can be read at 10, 100 and 1,000 classes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from residua.files.names import distinct
from residua.insight.evaluation.numbers import Evaluation, confused_pairs
from residua.insight.shared.plotting import BLUE, ORANGE, new_figure, save_figure, tidy, whole_ticks
from residua.insight.shared.text import TITLE, short_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WITH_COUNTS, WITH_NAMES = 30, 120  # classes, up to which cells hold numbers, and rows names
BLOCKS = 50  # rows of the overview where there are more classes
PAIRS = 30  # of the strongest confusions that are named there


def draw_confusion(evaluation: Evaluation, path: Path) -> Path:
    """Write `confusion_figure` as PNG; the path."""
    return save_figure(confusion_figure(evaluation), path)


def confusion_figure(evaluation: Evaluation) -> Figure:
    """Share of each true class, counts in the cells up to 30 classes; above 120 blocks and strongest pairs.

    At 1,000 classes a row would be a pixel: consecutive classes are taken together in an overview of the
    mistakes, the strongest confusions are named beside it, and the title says what is left out.
    """
    return _matrix(evaluation) if len(evaluation.classes) <= WITH_NAMES else _blocks(evaluation)


def _title(e: Evaluation) -> str:
    name = short_label(Path(e.data).name or e.data, TITLE)
    return f"{name}, {e.part}: {100 * e.accuracy:.2f} % of {e.pictures:,} right"


def _matrix(evaluation: Evaluation) -> Figure:
    from matplotlib.colors import PowerNorm

    count = len(evaluation.classes)
    names = [short_label(name, 24) for name in distinct([entry.name for entry in evaluation.classes])]
    matrix = evaluation.confusion
    shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    few = count <= WITH_COUNTS
    # Without numbers in the cells a row needs only the height of its name.
    side = max(4.5, 0.55 * count + 2.2) if few else 0.15 * count + 4
    figure = new_figure(side + 0.9, side)
    axes = figure.subplots()
    # The root makes the few mistakes visible beside the many right answers.
    image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=100))
    size, large = (8, 10) if few else (7.5, 16)
    # Upright where the names fit side by side: a letter is about 0.7 of its size wide, an inch has 72 points.
    upright = few and max(map(len, names)) * 0.7 * size < 72 * (side - 2.2) / count
    lean: dict[str, Any] = {"rotation": 60 if few else 90, "ha": "right", "rotation_mode": "anchor"}
    turn = {} if upright else lean if few else lean | {"va": "center"}
    axes.set_xticks(range(count), names, fontsize=size, **turn)
    axes.set_yticks(range(count), names, fontsize=size)
    axes.set_xlabel("answer", fontsize=large)
    axes.set_ylabel("true class", fontsize=large)
    if few:
        for (row, column), number in np.ndenumerate(matrix):
            if number:
                color = "white" if shares[row, column] > 45 else "black"
                axes.text(column, row, f"{number:,}", ha="center", va="center", color=color, fontsize=8)
    else:
        for every in (axes.xaxis, axes.yaxis):  # lines to follow a row by
            every.set_ticks(np.arange(4.5, count, 5), minor=True)
        axes.grid(which="minor", color="#CCCCCC", linewidth=0.5)
        axes.tick_params(which="minor", length=0)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=30, pad=0.02)
    bar.set_label("share of the true class (%)", fontsize=large)
    axes.set_title(_title(evaluation), fontsize=large)
    return figure


def _blocks(evaluation: Evaluation) -> Figure:
    from matplotlib.colors import PowerNorm

    names = [entry.name for entry in evaluation.classes]
    count, matrix = len(names), evaluation.confusion
    wrong = matrix - np.diag(np.diag(matrix))
    each = -(-count // BLOCKS)
    starts = np.arange(0, count, each)
    blocks = np.add.reduceat(np.add.reduceat(wrong, starts, axis=0), starts, axis=1)
    pairs = confused_pairs(matrix, PAIRS)
    mistakes, kinds = int(wrong.sum()), int((wrong > 0).sum())
    figure = new_figure(17, 8.6)
    overview, strongest = figure.subplots(1, 2, width_ratios=[1, 0.72])
    norm = PowerNorm(0.5, vmin=0, vmax=max(int(blocks.max()), 1))
    image = overview.imshow(blocks, cmap="Blues", norm=norm)
    marks = range(0, len(starts), 5)
    labels = [f"{starts[mark]}  {short_label(names[starts[mark]], 16)}" for mark in marks]
    overview.set_yticks(marks, labels, fontsize=8)
    overview.set_xticks(marks, labels, fontsize=8, rotation=60, ha="right", rotation_mode="anchor")
    overview.set_xlabel(f"answer (blocks of {each} classes in the model's order)")
    overview.set_ylabel("true class")
    figure.colorbar(image, ax=overview, shrink=0.8, pad=0.02).set_label("wrong answers in a block (pictures)")
    overview.set_title("mistakes alone; right answers are left out", fontsize=10)
    tidy(strongest)
    if pairs:
        bars = [number for _, _, number in pairs][::-1]
        rows = range(len(bars))
        strongest.barh(rows, bars, color=BLUE)
        names_of_pairs = [
            f"{short_label(names[true], 22)}  →  {short_label(names[answer], 22)}"
            for true, answer, _ in pairs
        ][::-1]
        strongest.set_yticks(rows, names_of_pairs, fontsize=8)
        strongest.set_ylim(-0.6, len(bars) - 0.4)
        whole_ticks(strongest.xaxis)
    else:
        strongest.set_axis_off()
        strongest.text(0.5, 0.5, "no mistakes", ha="center", color=ORANGE, transform=strongest.transAxes)
    strongest.set_xlabel("pictures")
    strongest.set_title("strongest confusions: true class → answer", fontsize=10)
    named = sum(number for _, _, number in pairs)
    rest = f"{kinds - len(pairs):,} weaker pairs with {mistakes - named:,} mistakes are not named"
    subtitle = f"{count:,} classes: the {len(pairs)} strongest of {kinds:,} confused pairs; {rest}"
    if kinds == len(pairs):
        subtitle = f"{count:,} classes; all {kinds} confused pairs are named"
    figure.suptitle(f"{_title(evaluation)}\n{subtitle}", fontsize=12)
    return figure
