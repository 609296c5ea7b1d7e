"""The report's charts: narrow enough for a telephone, as SVG, which prints sharp at any size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from residua.insight.calibration.numbers import Reliability, RiskCoverage, highest_risk, ideal_risk
from residua.insight.shared.plotting import (
    BLUE,
    GREY,
    ORANGE,
    TRAINING,
    VALIDATION,
    new_figure,
    tidy,
    whole_ticks,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 4.5, 3.1  # inches: at a telephone's 330 pixels a letter of 10 points is still 10 pixels high


def curve_chart(rows: Sequence[dict[str, Any]], kind: str) -> Figure:
    """Training and validation over the epochs; kind: loss or error."""
    figure, axes = _panel()
    epochs = [row["epoch"] for row in rows]
    every = max(1, len(epochs) // 12)
    lowest = []
    for part, color, marker in (("train", TRAINING, "o"), ("validation", VALIDATION, "s")):
        if f"{part}_{kind}" not in rows[-1]:
            continue
        values = [float(row[f"{part}_{kind}"]) for row in rows]
        name = "training" if part == "train" else part
        style: dict[str, Any] = {"marker": marker, "markersize": 4.5, "markevery": every}
        axes.plot(epochs, values, color=color, label=name, **style)
        lowest.append((min(values), max(values)))
    axes.set_xlabel("epoch")
    axes.set_ylabel("loss (nats)" if kind == "loss" else "error (%)")
    axes.set_xlim(0.5, max(epochs[-1], 2) + 0.5)
    whole_ticks(axes.xaxis)
    low, high = min(low for low, _ in lowest), max(high for _, high in lowest)
    if kind == "loss" and low > 0 and high > 20 * low:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    _above(axes, 2)
    return figure


def reliability_chart(bins: Reliability) -> Figure:
    """How often answers are right by how sure the model is; the dashed line is where both are the same."""
    figure, axes = _panel(3.5)
    filled = bins.counts > 0
    middles = 100 * (bins.edges[:-1] + bins.edges[1:])[filled] / 2
    width = 94 * (bins.edges[1] - bins.edges[0])
    accuracy, confidence = 100 * bins.accuracy[filled], 100 * bins.confidence[filled]
    axes.bar(middles, accuracy, width, color=BLUE, label="right")
    axes.bar(
        middles, confidence - accuracy, width, accuracy, facecolor="none", edgecolor=ORANGE, hatch="////",
        linewidth=0.8, label="gap to confidence",
    )  # fmt: skip
    axes.plot([0, 100], [0, 100], color=GREY, linestyle="--", linewidth=1.2, label="as sure as right")
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_xlabel("how sure: probability of the answer (%)")
    axes.set_ylabel("right answers (%)")
    _above(axes, 3, 8)
    return figure


def risk_chart(curve: RiskCoverage) -> Figure:
    """What share of the answers is wrong where only the surest are given."""
    figure, axes = _panel()
    axes.step(100 * curve.coverage, 100 * curve.risk, where="post", color=BLUE, label="this model")
    coverage, risk = ideal_risk(curve)
    axes.plot(100 * coverage, 100 * risk, color=GREY, linestyle="--", label="if it knew its mistakes")
    axes.set_xlim(0, 101)
    axes.set_ylim(0, highest_risk(curve))
    axes.set_xlabel("answers given, surest first (%)")
    axes.set_ylabel("wrong among them (%)")
    _above(axes, 2)
    return figure


def _panel(height: float = HEIGHT) -> tuple[Figure, Any]:
    figure = new_figure(WIDTH, height)
    axes = figure.subplots()
    tidy(axes)
    return figure, axes


def _above(axes: Any, columns: int, size: float = 9.5) -> None:
    """The legend above the axes: inside, some curve would run through it."""
    axes.legend(
        frameon=False, loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=columns, fontsize=size,
        borderaxespad=0.2, columnspacing=1.2, handlelength=1.6,
    )  # fmt: skip
