"""The results of an experiment as a picture: what was published, and what each seed came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from residua.experiments.results import Results
from residua.insight.shared.plotting import GREY, TRAINING, VALIDATION, new_figure, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def results_figure(results: Results) -> Figure | None:
    """Errors in per cent, a line for each variant; None where nothing has come to an end."""
    rows = [row for row in results["variants"] if "mean" in row]
    if not rows:
        return None
    figure = new_figure(9, 1.6 + 0.42 * len(rows))
    axes = figure.subplots()
    tidy(axes)
    for place, row in enumerate(reversed(rows)):
        errors = [run["error"] for run in row["runs"] if "error" in run]
        axes.plot(row["interval"], [place, place], color=GREY, linewidth=2, solid_capstyle="butt")
        axes.plot(errors, [place] * len(errors), "o", color=TRAINING, markersize=5)
        axes.plot(row["mean"], place, "|", color=TRAINING, markersize=16, markeredgewidth=2)
        if row["published"] is not None:
            axes.plot(row["published"], place, "D", color=VALIDATION, markersize=7, fillstyle="none")
    axes.set_yticks(range(len(rows)), [row["title"] for row in reversed(rows)])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel("test error (%)")
    axes.plot([], [], "o", color=TRAINING, label="a seed here")
    axes.plot([], [], "|", color=TRAINING, markersize=12, markeredgewidth=2, label="their mean")
    axes.plot([], [], color=GREY, linewidth=2, label="95 % interval")
    axes.plot([], [], "D", color=VALIDATION, fillstyle="none", label="published")
    # Above the whole figure: long names of variants leave the axes little room.
    figure.legend(frameon=False, loc="outside upper center", ncols=4, fontsize=9)
    if results["quick"]:
        axes.set_title("a quick run on a slice of the data", fontsize=10)
    return figure
