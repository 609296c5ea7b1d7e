"""Pictures of calibration: reliability before and after, risk against coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from residua.insight.calibration.numbers import Reliability, reliability, risk_coverage, with_temperature
from residua.insight.evaluation.answers import Answered
from residua.insight.shared.plotting import BLUE, GREEN, GREY, ORANGE, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WANTED = (0.9, 0.95, 0.98, 0.99, 0.995, 0.999)  # accuracies that are told of


def reliability_figure(answered: Answered) -> Figure:
    """Accuracy against confidence in bins (Guo et al. 2017, figure 1), before and after the temperature.

    One panel for a model that is not calibrated.
    """
    sides = [("as trained", with_temperature(answered, None))]
    calibration = answered.model.calibration
    if calibration is not None:
        sides.append((f"at temperature {calibration.temperature:.3f}", answered))
    figure = new_figure(1.2 + 4.2 * len(sides), 5.6)
    grid = figure.subplots(2, len(sides), height_ratios=[3, 1], sharex=True, sharey="row", squeeze=False)
    for column, (name, side) in enumerate(sides):
        found = reliability(side.probabilities, side.labels)
        _bins(grid[0, column], grid[1, column], found)
        grid[0, column].set_title(
            f"{name}\ncalibration error {100 * found.error:.2f} %, loss {side.evaluation.loss:.4f} nats",
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
    figure.suptitle(f"{answered.title}: is it as often right as it says?", fontsize=11)
    return figure


def _bins(upper: Any, lower: Any, found: Reliability) -> None:
    filled = found.counts > 0
    middles = 100 * (found.edges[:-1] + found.edges[1:])[filled] / 2
    width = 100 * (found.edges[1] - found.edges[0])
    accuracy, confidence = 100 * found.accuracy[filled], 100 * found.confidence[filled]
    upper.bar(middles, accuracy, width * 0.94, color=BLUE, label="right in each bin of confidence")
    upper.bar(
        middles, confidence - accuracy, width * 0.94, accuracy,
        facecolor="none", edgecolor=ORANGE, hatch="////", linewidth=0.8, label="gap to the mean confidence",
    )  # fmt: skip
    upper.plot([0, 100], [0, 100], color=GREY, linestyle="--", linewidth=1, label="as often right as it says")
    upper.set_xlim(0, 100)
    upper.set_ylim(0, 100)
    lower.bar(middles, found.counts[filled], width * 0.94, color=GREY)
    lower.set_yscale("log")
    lower.set_ylim(bottom=0.5)
    lower.set_xlabel("confidence: probability of the first guess (%)")
    tidy(upper)
    tidy(lower)


def _written(threshold: float) -> str:
    """Three digits, and more where they would all be nines."""
    return f"{threshold:.3f}" if threshold < 0.999 else f"{threshold:.6f}"


def risk_coverage_figure(answered: Answered) -> Figure:
    """What share of the answers is wrong where only the most confident are taken."""
    curve = risk_coverage(answered.probabilities, answered.labels)
    figure = new_figure(8, 4.4)
    axes = figure.subplots()
    tidy(axes)
    name = f"this model (mean risk {100 * curve.area:.3f} %)"
    axes.step(100 * curve.coverage, 100 * curve.risk, where="post", color=BLUE, label=name)
    errors = int(len(answered) - curve.right[-1])
    # The best there could be: all right answers before the first wrong one.
    taken = np.linspace(0, 1, 400)
    right = 1 - errors / len(answered)
    best = np.where(taken > right, (taken - right) / np.maximum(taken, 1e-9), 0)
    axes.plot(
        100 * taken, 100 * best, color=GREY, linestyle="--", linewidth=1, label="if it knew its mistakes"
    )
    marks: dict[int, float] = {}  # at one place only the highest accuracy
    for wanted in WANTED:
        reached = np.flatnonzero(curve.right >= wanted * curve.accepted)
        if len(reached) and curve.coverage[reached[-1]] < 1:
            marks[int(reached[-1])] = wanted
    for place, wanted in marks.items():
        x, y = 100 * curve.coverage[place], 100 * curve.risk[place]
        axes.plot(x, y, "o", color=ORANGE)
        text = f"{100 * wanted:g} % right: below {_written(float(curve.threshold[place]))} not sure"
        # Up and to the left: the curve rises to the right.
        axes.annotate(text, (x, y), (-6, 5), textcoords="offset points", ha="right", fontsize=8)
    if not errors:
        axes.text(
            0.5, 0.5, "no mistakes: nothing to refuse", ha="center", color=GREEN, transform=axes.transAxes
        )
    axes.set_xlim(0, 101)
    axes.set_ylim(
        bottom=0, top=max(100 * float(curve.risk[-1]) * 1.15, 100 * float(curve.risk.max()) * 0.5, 0.1)
    )
    axes.set_xlabel("coverage: pictures that are answered, most confident first (%)")
    axes.set_ylabel("risk: wrong among them (%)")
    axes.legend(frameon=False, loc="upper left", fontsize=9)
    axes.set_title(f"{answered.title}: what 'not sure' gains", fontsize=11)
    return figure
