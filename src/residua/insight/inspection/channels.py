"""Which filters and channels of a network are drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from residua.errors import ConfigError
from residua.insight.inspection.numbers import Inside
from residua.models.model_file import Model
from residua.variables import flatten

MOST_CHANNELS = 8  # of a stage whose strongest pictures are drawn


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
    spread = np.linspace(0, len(alive) - 1, min(MOST_CHANNELS, len(alive))).round().astype(np.int64)
    return [int(alive[index]) for index in np.unique(spread)]
