"""Pictures of calibration: reliability before and after, risk against coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from residua.insight.calibration.numbers import (
    Reliability,
    before_and_after,
    highest_risk,
    ideal_risk,
    reliability,
    risk_coverage,
)
from residua.insight.calibration.text import ACCURACIES, format_threshold
from residua.insight.evaluation.predictions import Predictions
from residua.insight.shared.plotting import BLUE, GREEN, GREY, ORANGE, new_figure, tidy
from residua.insight.shared.text import TITLE, short_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def reliability_figure(answered: Predictions) -> Figure:
    """Accuracy against confidence in bins (Guo et al. 2017, figure 1), before and after the temperature.

    One panel for a model that is not calibrated.
    """
    sides = before_and_after(answered)
    figure = new_figure(1.2 + 4.2 * len(sides), 5.6)
    grid = figure.subplots(2, len(sides), height_ratios=[3, 1], sharex=True, sharey="row", squeeze=False)
    for column, (name, side) in enumerate(sides):
        bins = reliability(side.probabilities, side.labels)
        _bins(grid[0, column], grid[1, column], bins)
        grid[0, column].set_title(
            f"{name}\ncalibration error {100 * bins.error:.2f} %, loss {side.evaluation.loss:.4f} nats",
            fontsize=10,
        )
    grid[0, 0].set_ylabel("right answers (%)")
    grid[1, 0].set_ylabel("pictures")
    # Inside, bars would lie under it.
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        frameon=False,
        loc="outside lower center",
        ncols=3 if len(sides) > 1 else 1,
        fontsize=9,
    )
    figure.suptitle(f"{short_label(answered.title, TITLE)}: is it as often right as it says?", fontsize=11)
    return figure


def _bins(upper: Any, lower: Any, bins: Reliability) -> None:
    filled = bins.counts > 0
    middles = 100 * (bins.edges[:-1] + bins.edges[1:])[filled] / 2
    width = 100 * (bins.edges[1] - bins.edges[0])
    accuracy, confidence = 100 * bins.accuracy[filled], 100 * bins.confidence[filled]
    upper.bar(middles, accuracy, width * 0.94, color=BLUE, label="right in each bin of confidence")
    upper.bar(
        middles, confidence - accuracy, width * 0.94, accuracy,
        facecolor="none", edgecolor=ORANGE, hatch="////", linewidth=0.8, label="gap to the mean confidence",
    )  # fmt: skip
    upper.plot([0, 100], [0, 100], color=GREY, linestyle="--", linewidth=1, label="as often right as it says")
    upper.set_xlim(0, 100)
    upper.set_ylim(0, 100)
    lower.bar(middles, bins.counts[filled], width * 0.94, color=GREY)
    lower.set_yscale("log")
    lower.set_ylim(bottom=0.5)
    lower.set_xlabel("confidence: probability of the first guess (%)")
    tidy(upper)
    tidy(lower)


def risk_coverage_figure(answered: Predictions) -> Figure:
    """What share of the answers is wrong where only the most confident are taken."""
    curve = risk_coverage(answered.probabilities, answered.labels)
    figure = new_figure(8, 4.4)
    axes = figure.subplots()
    tidy(axes)
    name = f"this model (mean risk {100 * curve.area:.3f} %)"
    axes.step(100 * curve.coverage, 100 * curve.risk, where="post", color=BLUE, label=name)
    errors = int(len(answered) - curve.right[-1])
    coverage, risk = ideal_risk(curve)
    axes.plot(
        100 * coverage, 100 * risk, color=GREY, linestyle="--", linewidth=1, label="if it knew its mistakes"
    )
    marks: dict[int, float] = {}  # at one place only the highest accuracy
    for wanted in ACCURACIES:
        reached = np.flatnonzero(curve.right >= wanted * curve.accepted)
        if len(reached) and curve.coverage[reached[-1]] < 1:
            marks[int(reached[-1])] = wanted
    for place, wanted in marks.items():
        x, y = 100 * curve.coverage[place], 100 * curve.risk[place]
        axes.plot(x, y, "o", color=ORANGE)
        text = f"{100 * wanted:g} % right: below {format_threshold(float(curve.threshold[place]))} not sure"
        # Up and to the left: the curve rises to the right.
        axes.annotate(text, (x, y), (-6, 5), textcoords="offset points", ha="right", fontsize=8)
    if not errors:
        axes.text(
            0.5, 0.5, "no mistakes: nothing to refuse", ha="center", color=GREEN, transform=axes.transAxes
        )
    axes.set_xlim(0, 101)
    axes.set_ylim(bottom=0, top=highest_risk(curve))
    axes.set_xlabel("coverage: pictures that are answered, most confident first (%)")
    axes.set_ylabel("risk: wrong among them (%)")
    axes.legend(frameon=False, loc="upper left", fontsize=9)
    axes.set_title(f"{short_label(answered.title, TITLE)}: what 'not sure' gains", fontsize=11)
    return figure
