"""A sweep in pictures: trials as lines across what varies, what mattered, and how the best rose."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from residua.insight.shared.plotting import BLUE, GREY, ORANGE, new_figure, tidy, whole_ticks
from residua.insight.shared.text import TITLE, short_label
from residua.insight.sweeps.numbers import Axis, SweepResult, TrialRow, best_so_far
from residua.insight.sweeps.text import value_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

QUARTERS = (0, 0.25, 0.5, 0.75, 1)
MOST_LABELS = 12  # along one axis
ACCURACY = "validation\naccuracy (%)"


def parallel_figure(result: SweepResult) -> Figure:
    """Parallel coordinates: an axis for each thing that varies, the accuracy last, a line for each trial.

    Whole trials are coloured by accuracy, the best drawn thick; those that ended early are grey and dashed.
    """
    from matplotlib import colormaps
    from matplotlib.colors import Normalize

    rows = [row for row in result.rows if row.accuracy is not None]
    figure = new_figure(2.2 + 1.7 * (len(result.axes) + 1), 4.8)
    plot = figure.subplots()
    low, high = _span([100 * row.accuracy for row in rows if row.accuracy is not None])
    scales = [_Scale.of(axis, rows) for axis in result.axes]
    whole = [100 * row.accuracy for row in rows if row.accuracy is not None and row.state == "done"]
    norm, colours = Normalize(*_span(whole)), colormaps["viridis"]
    last = result.best.number
    for row in sorted(rows, key=lambda row: (row.number == last, row.state == "done", row.accuracy)):
        accuracy = 100 * (row.accuracy or 0.0)
        share = (accuracy - low) / (high - low)
        heights = [scale.height(row.values[scale.axis.name], share) for scale in scales]
        heights.append(share)
        best, done = row.number == last, row.state == "done"
        plot.plot(
            range(len(heights)),
            heights,
            color=ORANGE if best else colours(norm(accuracy)) if done else GREY,
            linewidth=3 if best else 1.2,
            linestyle="-" if done else "--",
            alpha=1.0 if best else 0.75 if done else 0.45,
            marker="o" if best else None,
            zorder=3 if best else 2,
        )
    for place, scale in enumerate(scales):
        _draw_axis(plot, place, scale.ticks())
    _draw_axis(plot, len(scales), [(share, f"{low + share * (high - low):.1f}") for share in QUARTERS])
    names = [
        short_label(axis.name.strip("_"), 24) + ("\n(logarithmic)" if axis.log else "")
        for axis in result.axes
    ]
    plot.set_xticks(range(len(scales) + 1), [*names, ACCURACY])
    plot.tick_params(length=0)
    plot.set_yticks([])
    plot.spines[:].set_visible(False)
    plot.set_xlim(-0.45, len(scales) + 0.35)
    plot.set_ylim(-0.09, 1.09)
    figure.suptitle(f"{_title(result)}: each line is a trial, the best in orange", fontsize=10)
    return figure


def importance_figure(result: SweepResult) -> Figure:
    """What mattered: the share of each thing that varies in how the accuracies differ."""
    shares = sorted(result.importance.items(), key=lambda item: item[1])
    figure = new_figure(7, 1.6 + 0.42 * max(len(shares), 1))
    plot = figure.subplots()
    tidy(plot)
    names = [short_label(name.strip("_"), 30) for name, _ in shares]
    bars = plot.barh(names, [100 * share for _, share in shares], color=BLUE, height=0.6)
    plot.bar_label(bars, [f"{100 * share:.0f} %" for _, share in shares], padding=4)
    plot.set_xlim(0, 112)
    plot.set_xlabel("share of the differences in validation accuracy (%)")
    figure.suptitle(f"{_title(result)}: what mattered", fontsize=10)
    return figure


def best_figure(result: SweepResult) -> Figure:
    """The accuracy of every trial in the order in which they began, and the best so far."""
    figure = new_figure(8, 4.2)
    plot = figure.subplots()
    tidy(plot)
    for states, label, marker, colour in (
        (("done",), "trained to the end", "o", BLUE),
        (("pruned", "diverged"), "ended early", "x", GREY),
    ):
        shown = [row for row in result.rows if row.state in states and row.accuracy is not None]
        if shown:
            numbers, heights = [row.number for row in shown], [100 * (row.accuracy or 0.0) for row in shown]
            plot.plot(numbers, heights, marker, color=colour, label=label)
    steps = best_so_far(result.rows)
    plot.step(
        [number for number, _ in steps],
        [100 * accuracy for _, accuracy in steps],
        where="post",
        color=ORANGE,
        linewidth=2,
        label=f"best so far: {100 * steps[-1][1]:.2f} %" if steps else "best so far",
    )
    plot.set_xlabel("trial")
    plot.set_ylabel("validation accuracy (%)")
    whole_ticks(plot.xaxis)
    plot.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    figure.suptitle(_title(result), fontsize=10)
    return figure


def _title(result: SweepResult) -> str:
    return f"{short_label(result.name, TITLE)}, {len(result.rows)} trials"


def _span(values: Sequence[float]) -> tuple[float, float]:
    low, high = (min(values), max(values)) if values else (0.0, 100.0)
    return (low, high) if high > low else (low - 1, high + 1)


class _Scale:
    """Where values stand on one upright axis, between 0 and 1."""

    def __init__(self, axis: Axis, places: Mapping[Any, float] | None, low: float, high: float) -> None:
        self.axis, self.places, self.low, self.high = axis, places, low, high

    @classmethod
    def of(cls, axis: Axis, rows: Sequence[TrialRow]) -> _Scale:
        if axis.labels is not None:
            count = max(len(axis.labels) - 1, 1)
            places = {label: place / count for place, label in enumerate(axis.labels)}
            return cls(axis, places if len(axis.labels) > 1 else {axis.labels[0]: 0.5}, 0, 1)
        values = [float(row.values[axis.name]) for row in rows]
        return cls(axis, None, *_span([math.log10(value) for value in values] if axis.log else values))

    def height(self, value: Any, share: float = 0.5) -> float:
        """Where a value stands; lines of the same label fan out a little, by `share`."""
        if self.places is not None:
            return self.places[value] + (share - 0.5) * min(0.3 / len(self.places), 0.1)
        number = math.log10(value) if self.axis.log else float(value)
        return (number - self.low) / (self.high - self.low)

    def ticks(self) -> list[tuple[float, str]]:
        if self.places is not None:
            every = math.ceil(len(self.places) / MOST_LABELS)
            return [(h, short_label(value_text(v), 18)) for v, h in [*self.places.items()][::every]]
        if self.axis.whole and not self.axis.log:
            every = max(1, round((self.high - self.low) / 4))
            marks = range(math.ceil(self.low), math.floor(self.high) + 1, every)
            return [(self.height(mark), str(mark)) for mark in marks]
        numbers = {share: self.low + share * (self.high - self.low) for share in QUARTERS}
        return [
            (share, f"{10**number if self.axis.log else number:.3g}") for share, number in numbers.items()
        ]


def _draw_axis(plot: Any, place: int, ticks: Sequence[tuple[float, str]]) -> None:
    plot.axvline(place, color="black", linewidth=0.8, zorder=1)
    for height, label in ticks:
        plot.annotate(
            label,
            (place, height),
            (-5, 0),
            textcoords="offset points",
            ha="right",
            va="center",
            fontsize=8,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.8},
            zorder=4,
        )
