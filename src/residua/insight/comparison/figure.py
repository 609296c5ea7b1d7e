"""A comparison as a picture: accuracies with their intervals, differences with theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from residua.insight.comparison.numbers import Comparison, shown_pairs
from residua.insight.shared.plotting import BLUE, GREY, ORANGE, new_figure, tidy
from residua.insight.shared.text import short_label, split_name

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def comparison_figure(comparison: Comparison) -> Figure:
    """Left the accuracy of each model, right the difference of each pair; intervals that cross 0 are grey."""
    c = comparison
    pairs = shown_pairs(c)
    figure = new_figure(12.5, 1.9 + 0.34 * max(len(c.sides), len(pairs), 3))
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.15])
    for row, side in enumerate(c.sides):
        low, high = (100 * edge for edge in side.evaluation.interval)
        _row(left, row, 100 * side.evaluation.accuracy, low, high, BLUE, "o")
    left.set_yticks(range(len(c.sides)), [short_label(side.name, 34) for side in c.sides], fontsize=9)
    left.set_xlabel("accuracy (%), 95 % interval of each alone")
    left.set_title(f"{c.pictures:,} pictures, the same for all", fontsize=10)
    for row, pair in enumerate(pairs):
        low, high = (100 * edge for edge in pair.interval)
        color, marker = (ORANGE, "D") if pair.significant else (GREY, "o")
        _row(right, row, 100 * pair.difference, low, high, color, marker)
    names = [
        f"{short_label(c.sides[pair.first].name, 22)} − {short_label(c.sides[pair.second].name, 22)}"
        for pair in pairs
    ]
    right.set_yticks(range(len(pairs)), names, fontsize=9)
    right.axvline(0, color=GREY, linewidth=1, linestyle="--")
    together = "of the pair" if len(c.pairs) == 1 else "of all pairs together"
    right.set_xlabel(f"difference of the accuracies (points), {100 * (1 - c.level):g} % interval {together}")
    significant = sum(pair.significant for pair in c.pairs)
    more = "" if len(pairs) == len(c.pairs) else f" ({len(pairs)} drawn)"
    right.set_title(
        f"orange diamonds: better, by McNemar's test: {significant} of {len(c.pairs)} pairs{more}",
        fontsize=10,
    )
    for axes, rows in ((left, len(c.sides)), (right, len(pairs))):
        tidy(axes)
        axes.set_ylim(rows - 0.4, -0.6)
        axes.margins(x=0.12)
    figure.suptitle(f"{short_label(c.data, 60)}, {split_name(c.split)}", fontsize=11)
    return figure


def _row(axes: Any, row: int, value: float, low: float, high: float, color: str, marker: str) -> None:
    axes.plot([low, high], [row, row], color=color, linewidth=2, solid_capstyle="butt")
    for edge in (low, high):
        axes.plot([edge, edge], [row - 0.12, row + 0.12], color=color, linewidth=2)
    axes.plot(value, row, marker, color=color, markersize=6)
