"""Pictures of a network's inside: first filters, maps, strongest pictures of a channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from residua.engines import Engine
from residua.errors import ConfigError
from residua.insight.inspection.numbers import Inside, activation_maps
from residua.insight.shared.plotting import Tiles, short
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
    rest = f", the first {shown} of them" if shown < count else ""
    title = f"{name}: {count} filters of {height}x{width}x{channels}{rest}"
    told = f"{title}\nmiddle grey is 0; each in its own range"
    tiles = Tiles(rows, columns, 0.72, 0.72, told, above=0.18, size=10)
    for number in range(shown):
        kernel = kernels[..., number]
        most = max(float(np.abs(kernel).max()), 1e-12)
        row, column = divmod(number, columns)
        tiles.picture(row, column, 0.5 + kernel / (2 * most), str(number))
    return tiles.figure


def activations_figure(model: Model, image: NDArray[np.uint8], engine: Engine, title: str = "") -> Figure:
    """What each stage makes of one picture (H, W, C) uint8: its ten channels that respond most.

    Raises ConfigError for a network without maps.
    """
    maps = activation_maps(model, image[None], engine)
    if not maps:
        raise ConfigError(f"{model.name} has no stage with maps: no activations to draw")
    tall = min(max(image.shape[0] / image.shape[1], 0.6), 1.6)
    told = (
        f"{title or model.name}: the {MAPS} most active channels of each stage, numbered\n"
        "yellow is each map's largest value, dark blue its least"
    )
    tiles = Tiles(len(maps), MAPS + 1, 0.98, 0.98 * tall, told, above=0.18, left=1.3, size=10)
    for row, (name, found) in enumerate(maps.items()):
        _, height, width, channels = found.shape
        tiles.picture(row, 0, image)
        tiles.row_name(row, f"{short(name, 14)}\n{height}x{width}x{channels}")
        order = np.argsort(-np.abs(found[0]).mean(axis=(0, 1)), kind="stable")[:MAPS]
        for column, channel in enumerate(order.tolist(), start=1):
            style = {"cmap": "viridis", "vmin": None, "vmax": None}
            tiles.picture(row, column, found[0, :, :, channel], str(channel), **style)
    return tiles.figure


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
    title = (
        f"{inside.answered.title}: pictures in which channels of {inside.stage} are strongest, "
        f"of {len(images):,}\na ring marks where"
    )
    tiles = Tiles(max(len(chosen), 1), columns, 1.05, 1.05 * tall, title, above=0.18, left=1.05, size=10)
    for row, channel in enumerate(chosen):
        order = np.argsort(-inside.peaks[:, channel], kind="stable")[:columns]
        most = float(inside.peaks[order[0], channel])
        on = [place for place in order.tolist() if not inside.rectified or inside.peaks[place, channel] > 0]
        told = f"channel {channel}\n" + (f"up to {most:.3g}" if on else "never on")
        tiles.row_name(row, told)
        for column, place in enumerate(on):
            tiles.picture(row, column, images[place], short(names[labels[place]], 13))
            tiles.ring(row, column, *inside.spots[place, channel].tolist())
    return tiles.figure
