"""Pictures of a network's inside: first filters, maps, strongest pictures of a channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from residua.engines import Engine
from residua.errors import ConfigError
from residua.insight.figures import ORANGE, new_figure, short, show
from residua.insight.inside import Inside, activation_maps
from residua.models.model_file import Model
from residua.variables import flatten

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_FILTERS = 96
MAPS = 10  # channels of a stage that are shown
ROWS, COLUMNS = 8, 9  # channels and pictures of the sheet of strongest pictures


def first_filters(model: Model) -> tuple[str, NDArray[np.float32]]:
    """The name and the kernels (h, w, in, out) of the first convolution; channels in the order RGB.

    Raises ConfigError for a network that has none, or whose first one sees no pictures.
    """
    for path, array in flatten(model.variables).items():
        if path.rpartition(".")[2] != "weight" or array.ndim < 2:
            continue
        if array.ndim == 4 and array.shape[2] == model.preprocessing.channels:
            kernels = np.asarray(array, np.float32)
            name = path.removesuffix(".weight").removesuffix(".conv")
            return name, kernels[:, :, ::-1] if model.preprocessing.order == "BGR" else kernels
        break
    raise ConfigError(
        f"{model.name} has no convolution that sees the pictures themselves: no filters to draw"
    )


def filters_figure(model: Model) -> Figure:
    """The kernels of the first convolution, each brought to the whole range about the middle grey."""
    name, kernels = first_filters(model)
    height, width, channels, count = kernels.shape
    shown = min(count, MOST_FILTERS)
    columns = min(shown, 16 if shown > 32 else 8)
    rows = -(-shown // columns)
    figure = new_figure(max(0.72 * columns + 0.3, 5.0), 0.92 * rows + 0.8)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for number, axes in zip(range(shown), grid.flat, strict=False):
        kernel = kernels[..., number]
        most = max(float(np.abs(kernel).max()), 1e-12)
        show(axes, 0.5 + kernel / (2 * most))
        axes.set_title(str(number), fontsize=8, pad=2)
    rest = f", the first {shown} of them" if shown < count else ""
    figure.suptitle(
        f"{name}: {count} filters of {height}x{width}x{channels}{rest}\n"
        "middle grey is 0; each in its own range",
        fontsize=10,
    )
    return figure


def activations_figure(model: Model, image: NDArray[np.uint8], engine: Engine, title: str = "") -> Figure:
    """What each stage makes of one picture (H, W, C) uint8: its ten channels that respond most.

    Raises ConfigError for a network without maps.
    """
    maps = activation_maps(model, image[None], engine)
    if not maps:
        raise ConfigError(f"{model.name} has no stage with maps: no activations to draw")
    rows = len(maps)
    tall = min(max(image.shape[0] / image.shape[1], 0.6), 1.6)
    figure = new_figure(0.98 * (MAPS + 1) + 1.6, rows * (0.98 * tall + 0.22) + 0.9)
    grid = figure.subplots(rows, MAPS + 1, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for row, (name, found) in zip(grid, maps.items(), strict=True):
        _, height, width, channels = found.shape
        show(row[0], image)
        told = f"{short(name, 14)}\n{height}x{width}x{channels}"
        row[0].text(-0.08, 0.5, told, transform=row[0].transAxes, ha="right", va="center", fontsize=9)
        order = np.argsort(-np.abs(found[0]).mean(axis=(0, 1)), kind="stable")[:MAPS]
        for axes, channel in zip(row[1:], order.tolist(), strict=False):
            axes.imshow(found[0, ..., channel], cmap="viridis", interpolation="nearest", aspect="auto")
            axes.set_box_aspect(image.shape[0] / image.shape[1])
            axes.set_title(str(channel), fontsize=8, pad=2)
    figure.suptitle(
        f"{title or model.name}: the {MAPS} most active channels of each stage, numbered\n"
        "yellow is each map's largest value, dark blue its least",
        fontsize=10,
    )
    return figure


def choose_channels(inside: Inside, channels: Sequence[int] = ()) -> list[int]:
    """The channels to show: those that are asked for, or eight spread over all that are ever on.

    Raises ConfigError for a number beyond the stage's channels.
    """
    count = inside.peaks.shape[1]
    if beyond := [channel for channel in channels if channel >= count]:
        raise ConfigError(
            f"{inside.stage} has the channels 0 to {count - 1}; --channels was given {beyond[0]}"
        )
    if channels:
        return list(channels)
    alive = np.flatnonzero(inside.peaks.max(axis=0) > 0) if inside.rectified else np.arange(count)
    spread = np.linspace(0, len(alive) - 1, min(ROWS, len(alive))).round().astype(np.int64)
    return [int(alive[place]) for place in np.unique(spread)]


def strongest_figure(inside: Inside, channels: Sequence[int] = ()) -> Figure:
    """For each channel of a stage the pictures in which it is strongest; a ring marks where.

    Raises ConfigError as `choose_channels`, and for a network without maps.
    """
    if not inside.stage:
        raise ConfigError(f"{inside.answered.model.name} has no stage with maps: no channels to show")
    chosen = choose_channels(inside, channels)
    images, names = inside.images, inside.answered.classes
    labels = inside.answered.labels[inside.places]
    height, width = images.shape[1:3]
    columns = min(COLUMNS, len(images))
    tall = min(max(height / width, 0.6), 1.6)
    figure = new_figure(max(1.12 * columns + 1.3, 7.5), max(len(chosen), 1) * (1.05 * tall + 0.2) + 0.9)
    grid = figure.subplots(max(len(chosen), 1), columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for row, channel in zip(grid, chosen, strict=False):
        order = np.argsort(-inside.peaks[:, channel], kind="stable")[:columns]
        off = float(inside.peaks[order[0], channel]) <= 0 and inside.rectified
        told = f"channel {channel}\n" + (
            "never on" if off else f"up to {inside.peaks[order[0], channel]:.3g}"
        )
        row[0].text(-0.08, 0.5, told, transform=row[0].transAxes, ha="right", va="center", fontsize=9)
        if off:
            continue
        for axes, place in zip(row, order.tolist(), strict=True):
            if inside.rectified and inside.peaks[place, channel] <= 0:
                continue  # fewer pictures than columns switch it on
            show(axes, images[place])
            down, right = inside.spots[place, channel]
            _ring(axes, right * width - 0.5, down * height - 0.5, width)
            axes.set_title(short(names[labels[place]], 13), fontsize=8, pad=2)
    figure.suptitle(
        f"{inside.answered.title}: pictures in which channels of {inside.stage} are strongest, "
        f"of {len(images):,}\na ring marks where",
        fontsize=10,
    )
    return figure


def _ring(axes: Any, x: float, y: float, width: int) -> None:
    # White around the colour, so that it is seen on any picture.
    axes.plot(x, y, "o", markersize=11, markerfacecolor="none", markeredgecolor="white", markeredgewidth=3)
    axes.plot(x, y, "o", markersize=11, markerfacecolor="none", markeredgecolor=ORANGE, markeredgewidth=1.3)
