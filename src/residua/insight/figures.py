"""Pictures: learning curves and the confusion matrix, drawn without a display."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from residua.files.durable import write_durably
from residua.insight.metrics import Evaluation
from residua.training.run_folder import read_log

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Blue and orange of Okabe and Ito's palette: told apart with every kind of colour vision, and in grey.
TRAINING, VALIDATION = "#0072B2", "#D55E00"


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that many inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: Path) -> Path:
    """Write the figure durably as PNG; the path."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": "residua"})
    write_durably(path, buffer.getvalue())
    return path


def draw_curves(run: Path) -> Path:
    """curves.png in the run folder: loss and error over the epochs, training and validation."""
    rows = read_log(run)
    figure = new_figure(10, 4.2)
    loss, error = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in rows]
    for axes, kind, label in ((loss, "loss", "loss (nats)"), (error, "error", "error (%)")):
        _curve(axes, epochs, [row[f"train_{kind}"] for row in rows], "training", TRAINING, "o")
        if rows and f"validation_{kind}" in rows[-1]:
            values = [row[f"validation_{kind}"] for row in rows]
            best = int(np.argmin(values))
            name = f"validation (best {values[best]:.3g} in epoch {epochs[best]})"
            _curve(axes, epochs, values, name, VALIDATION, "s")
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        if epochs:
            axes.set_xlim(0.5, max(epochs[-1], 2) + 0.5)
            axes.xaxis.get_major_locator().set_params(integer=True)
        # Above the axes: inside, some curve would run through it.
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)
    positive = [row[key] for row in rows for key in row if key.endswith("loss") and row[key] > 0]
    if positive and max(positive) > 20 * min(positive):
        loss.set_yscale("log")
    error.set_ylim(bottom=0)
    figure.suptitle(run.name, fontsize=11)
    return save_figure(figure, run / "curves.png")


def _curve(axes: Any, epochs: list[int], values: list[float], label: str, color: str, marker: str) -> None:
    # Markers tell the curves apart without colour; on long runs they would hide the line.
    every = max(1, len(epochs) // 15)
    axes.plot(epochs, values, color=color, marker=marker, markersize=4, markevery=every, label=label)


def draw_confusion(evaluation: Evaluation, path: Path) -> Path:
    """The confusion matrix as a picture: share of each true class, counts in the cells where they fit."""
    from matplotlib.colors import PowerNorm

    names = [entry.name for entry in evaluation.classes]
    matrix = evaluation.confusion
    shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = min(max(4.5, 0.55 * len(names) + 2.2), 20.0)
    figure = new_figure(side + 0.9, side)
    axes = figure.subplots()
    # The root makes the few mistakes visible beside the many right answers.
    image = axes.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, vmin=0, vmax=100))
    size, large = (8, 10) if len(names) <= 30 else (4.5, 18)
    # Upright where the names fit side by side: a letter is about 0.7 of its size wide, an inch has 72 points.
    upright = max(map(len, names)) * 0.7 * size < 72 * (side - 2.2) / len(names)
    turn: dict[str, Any] = {} if upright else {"rotation": 60, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(names)), names, fontsize=size, **turn)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.set_xlabel("answer", fontsize=large)
    axes.set_ylabel("true class", fontsize=large)
    if len(names) <= 30:
        for (row, column), count in np.ndenumerate(matrix):
            if count:
                color = "white" if shares[row, column] > 45 else "black"
                axes.text(column, row, f"{count:,}", ha="center", va="center", color=color, fontsize=8)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=30, pad=0.02)
    bar.set_label("share of the true class (%)", fontsize=large)
    axes.set_title(
        f"{Path(evaluation.data).name or evaluation.data}, {evaluation.part}: "
        f"{100 * evaluation.accuracy:.2f} % of {evaluation.pictures:,} right",
        fontsize=large,
    )
    return save_figure(figure, path)
