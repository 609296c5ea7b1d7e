"""Weights and activations of every layer over the epochs of a run, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from residua.insight.inspection.statistics import layer_names, read_statistics_of, values_by_epoch
from residua.insight.shared.plotting import new_figure
from residua.insight.shared.text import short_label

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What is drawn: the key, the title with its unit, and the colours.
PANELS = (
    ("weight_std", "deviation of the weights\n(log10)", "viridis"),
    ("std", "deviation of the activations\n(log10)", "viridis"),
    ("off", "results that ReLU made zero\n(%)", "cividis"),
    ("dead", "channels never on\n(% of the layer's)", "cividis"),
)


def statistics_figure(run: Path) -> Figure:
    """Four panels of a run's statistics, with a title. Raises RunError for a run without statistics."""
    rows = read_statistics_of(run)
    figure = statistics_panels(rows)
    dead = sum(layer.get("dead", 0) for layer in rows[-1]["layers"])
    name = short_label(run.resolve().name, 40)
    figure.suptitle(
        f"{name}: every layer after every epoch, on {rows[-1]['pictures']} training pictures; "
        f"{dead:,} channels off for all of them at last",
        fontsize=11,
    )
    return figure


def statistics_panels(rows: Sequence[dict[str, Any]], width: float = 13.5) -> Figure:
    """A row for each layer, a column for each epoch: four panels of what `training.statistics` kept.

    width: in inches. Layers without such a number are grey.
    """
    names, epochs = layer_names(rows), [row["epoch"] for row in rows]
    figure = new_figure(width, max(4.2, 0.17 * len(names) + 2.0))
    grid = figure.subplots(1, len(PANELS), sharey=True)
    for axes, (key, title, colors) in zip(grid, PANELS, strict=True):
        image = _panel(axes, values_by_epoch(rows, names, key), key, epochs, colors)
        axes.set_title(title, fontsize=9)
        figure.colorbar(image, ax=axes, shrink=0.8, pad=0.03).ax.tick_params(labelsize=8)
    size = 8 if len(names) <= 60 else 6
    grid[0].set_yticks(range(len(names)), [short_label(name, 34) for name in names], fontsize=size)
    return figure


def _panel(axes: Any, values: Any, key: str, epochs: Sequence[int], colors: str) -> Any:
    """Draw one kind of number; the image, for its bar of colours."""
    bounds: dict[str, Any] = {"vmin": 0, "vmax": 100} if key == "off" else {}
    if key == "dead":
        most = float(np.nanmax(values)) if not np.isnan(values).all() else 0.0
        bounds = {"vmin": 0, "vmax": max(most, 1.0)}
    axes.set_facecolor("#EEEEEE")
    image = axes.imshow(
        np.ma.masked_invalid(values), aspect="auto", cmap=colors, interpolation="nearest", **bounds
    )
    step = max(1, -(-len(epochs) // 6))
    axes.set_xticks(range(0, len(epochs), step), [str(epoch) for epoch in epochs[::step]], fontsize=8)
    axes.set_xlabel("epoch")
    axes.tick_params(axis="y", length=0)
    return image
