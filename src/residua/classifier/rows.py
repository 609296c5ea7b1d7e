"""Rows of numbers, flattened pictures among them, as pictures: their shape, and what is black and white."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config.plain import plain_list
from residua.errors import ConfigError, ShapeError

Shape = tuple[int, int, int]
Range = tuple[float, float]

STRIP = 64  # features below which rows that are no square become pictures one pixel high
FAR = 10  # times the range beyond it: numbers of another scale


def picture_shape(image_shape: Any) -> Shape | None:
    """The parameter `image_shape`, (H, W), (H, W, C) or a square's side, as (H, W, C). Raises ConfigError."""
    if image_shape is None:
        return None
    shape = plain_list(image_shape)
    sides: Any = (shape, shape) if isinstance(shape, int) else shape
    whole = isinstance(sides, tuple) and all(type(side) is int and side > 0 for side in sides)
    if whole and len(sides) == 2:
        sides = (*sides, 1)
    if not whole or len(sides) != 3 or sides[2] not in (1, 3):
        first = whole and len(sides) == 3 and sides[0] in (1, 3)
        hint = "; its channels come first: rows are flattened (H, W, C) pictures" if first else ""
        raise ConfigError(
            f"image_shape takes (height, width) or (height, width, 1 or 3), not {image_shape!r}{hint}"
        )
    return sides[0], sides[1], sides[2]


def row_shape(features: int, chosen: Shape | None) -> Shape:
    """The picture that so many numbers are: as chosen, else a grey or coloured square, else a strip of few.

    Raises ShapeError where none fits.
    """
    if chosen is not None:
        if math.prod(chosen) != features:
            raise ShapeError(
                f"image_shape {chosen} has {math.prod(chosen)} numbers; rows of X have {features} features"
            )
        return chosen
    for channels in (1, 3):
        side = math.isqrt(features // channels)
        if side and side * side * channels == features:
            return side, side, channels
    if features < STRIP:
        return 1, features, 1
    near = math.isqrt(features) ** 2
    label = "; is a column of labels among them?" if features - near == 1 else ""
    raise ShapeError(
        f"rows of {features} features are no square picture, grey or in colour: name the shape, "
        f"image_shape=(height, width) or (height, width, 3){label}"
    )


def value_range(values: NDArray[Any]) -> Range:
    """What is to be black and white: all of uint8, else the least and the largest number there is."""
    if values.dtype == np.uint8:
        return 0.0, 255.0
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low, low + 1.0)


def scale_values(values: NDArray[Any], limits: Sequence[float]) -> NDArray[np.uint8]:
    """Numbers between the limits as 0 to 255; those beyond as the nearest. Raises ShapeError far outside."""
    low, high = limits
    if values.dtype == np.uint8 and (low, high) == (0.0, 255.0):
        return np.asarray(values)
    if values.size:
        least, most = float(values.min()), float(values.max())
        if max(low - least, most - high) > FAR * (high - low):
            raise ShapeError(
                f"X runs from {least:g} to {most:g}, far outside of {low:g} to {high:g}, which fit saw: "
                "scale it in the same way"
            )
    scaled = (np.asarray(values, np.float64) - low) * (255 / (high - low))
    return np.asarray(np.clip(np.rint(scaled), 0, 255).astype(np.uint8))
