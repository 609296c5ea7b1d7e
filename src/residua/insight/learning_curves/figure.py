"""Learning curves of one run, or of several together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from residua.insight.learning_curves.numbers import check_epochs, run_labels
from residua.insight.shared.plotting import (
    GREY,
    PALETTE,
    TRAINING,
    VALIDATION,
    new_figure,
    save_figure,
    tidy,
    whole_ticks,
)
from residua.insight.shared.text import TITLE, short_label
from residua.training.learning_rate_finder import Sweep
from residua.training.run_folder import read_log

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MARKERS = "osD^vPX"


def draw_curves(run: Path) -> Path:
    """curves.png in the run folder: loss and error over the epochs, training and validation."""
    return save_figure(curves_figure([run]), run / "curves.png")


def curves_figure(runs: Sequence[Path], names: Sequence[str] = ()) -> Figure:
    """Loss and error over the epochs; several runs are told apart by colour and marker.

    names: of several runs, where they are known by others than their folders'. Training is drawn dashed
    beside a run's validation where there are several. A run alone may have no epochs yet; RunError where
    one of several has none.
    """
    logs = [(run, read_log(run)) for run in runs]
    if len(runs) > 1:
        check_epochs(runs)
    figure = new_figure(10, 4.2) if len(runs) == 1 else new_figure(10, 4.4 + 0.22 * len(runs))
    loss, error = figure.subplots(1, 2)
    if len(runs) == 1:
        _single(loss, error, logs[0][1])
        figure.suptitle(short_label(runs[0].resolve().name, TITLE), fontsize=11)
    else:
        labels = [short_label(name, TITLE) for name in names] or run_labels(runs)
        _several(figure, loss, error, logs, labels)
    for axes, label in ((loss, "loss (nats)"), (error, "error (%)")):
        tidy(axes)
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        last = max((row["epoch"] for _, rows in logs for row in rows), default=1)
        axes.set_xlim(0.5, max(last, 2) + 0.5)
        whole_ticks(axes.xaxis)
    if _far_apart(value for value in _values(logs, "loss") if value > 0):
        _logarithmic(loss)
    # No error at all has no place on a logarithmic axis.
    if _far_apart(_values(logs, "error")):
        _logarithmic(error)
    else:
        error.set_ylim(bottom=0)
    return figure


def _values(logs: Sequence[tuple[Path, list[dict[str, Any]]]], kind: str) -> list[float]:
    """Every loss or every error, in training and in validation."""
    return [row[key] for _, rows in logs for row in rows for key in row if key.endswith(kind)]


def _far_apart(values: Iterable[float]) -> bool:
    """Whether on an even axis the small ones would be one line along the bottom."""
    every = list(values)
    return bool(every) and min(every) > 0 and max(every) > 20 * min(every)


def _logarithmic(axes: Any) -> None:
    """A logarithmic axis with plain numbers at 1, 2 and 5, of whatever power of ten."""
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(lambda x, _: f"{x:g}" if f"{x:e}"[0] in "25" else "")


def _single(loss: Any, error: Any, rows: list[dict[str, Any]]) -> None:
    epochs = [row["epoch"] for row in rows]
    for axes, kind in ((loss, "loss"), (error, "error")):
        _curve(axes, epochs, [row[f"train_{kind}"] for row in rows], "training", TRAINING, "o")
        if rows and f"validation_{kind}" in rows[-1]:
            values = [row[f"validation_{kind}"] for row in rows]
            best = int(np.argmin(values))
            name = f"validation (best {values[best]:.3g} in epoch {epochs[best]})"
            _curve(axes, epochs, values, name, VALIDATION, "s")
        # Above the axes: inside, some curve would run through it.
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)


def _several(
    figure: Figure,
    loss: Any,
    error: Any,
    logs: Sequence[tuple[Path, list[dict[str, Any]]]],
    labels: Sequence[str],
) -> None:
    handles = []
    for index, ((_, rows), label) in enumerate(zip(logs, labels, strict=True)):
        color = PALETTE[index % len(PALETTE)]
        marker = MARKERS[(index + index // len(PALETTE)) % len(MARKERS)]
        epochs = [row["epoch"] for row in rows]
        has_validation = "validation_error" in rows[-1]
        for axes, kind in ((loss, "loss"), (error, "error")):
            values = [row[f"train_{kind}"] for row in rows]
            _curve(axes, epochs, values, label, color, marker, "--", 0.55)
            if has_validation:
                _curve(axes, epochs, [row[f"validation_{kind}"] for row in rows], label, color, marker)
        if has_validation:
            best = min(rows, key=lambda row: float(row["validation_error"]))
            label += f": validation error {best['validation_error']:.2f} % at best, in epoch {best['epoch']}"
        else:
            label += f": no validation; training error {rows[-1]['train_error']:.2f} % at last"
        handles.append(error.plot([], [], color=color, marker=marker, markersize=5, label=label)[0])
    figure.legend(handles=handles, frameon=False, loc="outside upper left", ncols=1, fontsize=9)
    figure.supxlabel("solid: validation; dashed: training", fontsize=9)


def _curve(
    axes: Any,
    epochs: list[int],
    values: list[float],
    label: str,
    color: str,
    marker: str,
    line: str = "-",
    alpha: float = 1.0,
) -> None:
    # Markers tell the curves apart without colour; on long runs they would hide the line.
    every = max(1, len(epochs) // 15)
    style: dict[str, Any] = {"marker": marker, "markersize": 4, "markevery": every}
    axes.plot(epochs, values, color=color, linestyle=line, alpha=alpha, label=label, **style)


def sweep_figure(sweep: Sweep) -> Figure:
    """Loss against learning rate, as measured and smoothed, and the rate that is suggested."""
    figure = new_figure(8, 4.6)
    axes = figure.subplots()
    tidy(axes)
    axes.plot(sweep.rates, sweep.losses, color=GREY, linewidth=0.7, alpha=0.7, label="loss of each step")
    axes.plot(sweep.rates, sweep.smoothed, color=TRAINING, linewidth=2, label="mean over neighbouring steps")
    axes.set_xscale("log")
    # What comes apart would press all before it into a line.
    low, high = float(sweep.smoothed.min()), float(sweep.smoothed[: max(len(sweep.rates) // 3, 1)].max())
    room = max(high - low, 0.05)
    axes.set_ylim(max(low - 0.25 * room, 0), high + 0.6 * room)
    if sweep.suggested is not None:
        height = float(np.interp(np.log(sweep.suggested), np.log(sweep.rates), sweep.smoothed))
        axes.axvline(sweep.suggested, color=VALIDATION, linestyle="--", linewidth=1)
        axes.plot(sweep.suggested, height, "o", color=VALIDATION, label=f"suggested: {sweep.suggested:g}")
    fastest = float(np.interp(np.log(sweep.steepest), np.log(sweep.rates), sweep.smoothed))
    axes.plot(sweep.steepest, fastest, "s", color=TRAINING, label=f"falls fastest: at {sweep.steepest:.2g}")
    axes.set_xlabel("learning rate (logarithmic)")
    axes.set_ylabel("training loss (nats)")
    axes.legend(
        frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=4, fontsize=8, borderaxespad=0.2
    )
    name = short_label(Path(sweep.data).name, 40)
    figure.suptitle(
        f"{name}, {sweep.model}, {sweep.optimizer}, batches of {sweep.batch}: "
        f"{len(sweep.rates)} steps with rising rates",
        fontsize=10,
    )
    return figure
