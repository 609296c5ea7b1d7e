"""Weights and activations of every layer over the epochs of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from residua.errors import RunError
from residua.insight.shared.plotting import new_figure, short
from residua.training.layer_statistics import read_statistics

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# What is drawn: the key, the title with its unit, and the colours.
PANELS = (
    ("weight_std", "deviation of the weights\n(log10)", "viridis"),
    ("std", "deviation of the activations\n(log10)", "viridis"),
    ("off", "results that ReLU made zero\n(%)", "cividis"),
    ("dead", "channels never on\n(% of the layer's)", "cividis"),
)


def statistics_figure(run: Path, width: float = 13.5) -> Figure:
    """A row for each layer, a column for each epoch: four panels of what `training.statistics` kept.

    width: in inches. Layers without such a number are grey. Raises RunError for a run without statistics.
    """
    rows = read_statistics(run)
    if not rows:
        raise RunError(
            f"{run} holds no statistics.jsonl: it was trained by an earlier residua, or has no epoch"
        )
    # What is trained may change on the way, as layers are unfrozen.
    names = list(dict.fromkeys(layer["name"] for row in rows for layer in row["layers"]))
    epochs = [row["epoch"] for row in rows]
    figure = new_figure(width, max(4.2, 0.17 * len(names) + 2.0))
    grid = figure.subplots(1, len(PANELS), sharey=True)
    for axes, (key, title, colours) in zip(grid, PANELS, strict=True):
        _panel(figure, axes, _values(rows, names, key), title, colours, key, epochs)
    size = 8 if len(names) <= 60 else 6
    grid[0].set_yticks(range(len(names)), [short(name, 34) for name in names], fontsize=size)
    count = rows[-1]["pictures"]
    dead = sum(layer.get("dead", 0) for layer in rows[-1]["layers"])
    figure.suptitle(
        f"{run.resolve().name}: every layer after every epoch, on {count} training pictures; "
        f"{dead:,} channels off for all of them at last",
        fontsize=11,
    )
    return figure


def _values(rows: Sequence[dict[str, Any]], names: Sequence[str], key: str) -> Any:
    """(layers, epochs); nan where a layer has no such number."""
    values = np.full((len(names), len(rows)), np.nan)
    places = {name: place for place, name in enumerate(names)}
    for column, row in enumerate(rows):
        for layer in row["layers"]:
            if key not in layer:
                continue
            number = float(layer[key])
            if key == "dead":
                number = 100 * number / layer["channels"]
            elif key == "off":
                number = 100 * number
            else:
                number = float(np.log10(max(number, 1e-9)))
            values[places[layer["name"]], column] = number
    return values


def _panel(
    figure: Figure, axes: Any, values: Any, title: str, colours: str, key: str, epochs: Sequence[int]
) -> None:
    bounds: dict[str, Any] = {"vmin": 0, "vmax": 100} if key == "off" else {}
    if key == "dead":
        most = float(np.nanmax(values)) if not np.isnan(values).all() else 0.0
        bounds = {"vmin": 0, "vmax": max(most, 1.0)}
    axes.set_facecolor("#EEEEEE")
    image = axes.imshow(
        np.ma.masked_invalid(values), aspect="auto", cmap=colours, interpolation="nearest", **bounds
    )
    step = max(1, -(-len(epochs) // 6))
    axes.set_xticks(range(0, len(epochs), step), [str(epoch) for epoch in epochs[::step]], fontsize=8)
    axes.set_xlabel("epoch")
    axes.set_title(title, fontsize=9)
    axes.tick_params(axis="y", length=0)
    figure.colorbar(image, ax=axes, shrink=0.8, pad=0.03).ax.tick_params(labelsize=8)
