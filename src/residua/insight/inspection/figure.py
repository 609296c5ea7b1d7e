"""Pictures of a network's inside: first filters, maps, strongest pictures of a channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from residua.engines import Engine
from residua.errors import ConfigError
from residua.insight.inspection.channels import choose_channels, first_filters
from residua.insight.inspection.numbers import Inside, activation_maps
from residua.insight.shared.sheets import Margins, Tiles, aspect
from residua.insight.shared.text import TITLE, short_label
from residua.models.model_file import Model

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_FILTERS = 96
MAPS = 10  # channels of a stage that are shown
COLUMNS = 9  # pictures of each channel on the sheet of strongest pictures


def filters_figure(model: Model) -> Figure:
    """The kernels of the first convolution, each brought to the whole range about the middle grey."""
    name, kernels = first_filters(model)
    height, width, channels, count = kernels.shape
    filters = min(count, MOST_FILTERS)
    columns = min(filters, 16 if filters > 32 else 8)
    rows = -(-filters // columns)
    rest = f", the first {filters} of them" if filters < count else ""
    title = f"{name}: {count} filters of {height}x{width}x{channels}{rest}"
    title += "\nmiddle grey is 0; each in its own range"
    tiles = Tiles(rows, columns, 0.72, 0.72, title, Margins(above=0.18), size=10)
    for number in range(filters):
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
    tall = aspect(image, 0.6, 1.6)
    heading = (
        f"{short_label(title or model.name, 40)}: the {MAPS} most active channels of each stage, numbered\n"
        "yellow is each map's largest value, dark blue its least"
    )
    tiles = Tiles(len(maps), MAPS + 1, 0.98, 0.98 * tall, heading, Margins(0.18, left=1.3), size=10)
    for row, (name, values) in enumerate(maps.items()):
        _, height, width, channels = values.shape
        tiles.picture(row, 0, image)
        tiles.row_name(row, f"{short_label(name, 14)}\n{height}x{width}x{channels}")
        order = np.argsort(-np.abs(values[0]).mean(axis=(0, 1)), kind="stable")[:MAPS]
        for column, channel in enumerate(order.tolist(), start=1):
            style = {"cmap": "viridis", "vmin": None, "vmax": None}
            tiles.picture(row, column, values[0, :, :, channel], str(channel), **style)
    return tiles.figure


def strongest_figure(inside: Inside, channels: Sequence[int] = ()) -> Figure:
    """For each channel of a stage the pictures in which it is strongest; a ring marks where.

    Raises ConfigError as `choose_channels`, and for a network without maps.
    """
    if not inside.stage:
        raise ConfigError(f"{inside.answered.model.name} has no stage with maps: no channels to show")
    chosen = choose_channels(inside, channels)
    images, names = inside.images, inside.answered.classes
    labels = inside.answered.labels[inside.places]
    columns = min(COLUMNS, len(images))
    tall = aspect(images[0], 0.6, 1.6)
    data = short_label(inside.answered.title, TITLE)
    title = (
        f"{data}: pictures in which channels of {inside.stage} are strongest, "
        f"of {len(images):,}\na ring marks where"
    )
    tiles = Tiles(max(len(chosen), 1), columns, 1.05, 1.05 * tall, title, Margins(0.18, left=1.05), size=10)
    for row, channel in enumerate(chosen):
        order = np.argsort(-inside.peaks[:, channel], kind="stable")[:columns]
        most = float(inside.peaks[order[0], channel])
        on = [index for index in order.tolist() if not inside.rectified or inside.peaks[index, channel] > 0]
        tiles.row_name(row, f"channel {channel}\n" + (f"up to {most:.3g}" if on else "never on"))
        for column, index in enumerate(on):
            tiles.picture(row, column, images[index], short_label(names[labels[index]], 13))
            tiles.ring(row, column, *inside.spots[index, channel].tolist())
    return tiles.figure
