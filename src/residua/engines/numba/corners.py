"""Arrays made larger with zeros, or smaller: what a kernel is given has whole vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def widened(array: Array, *shape: int) -> Array:
    """float32 zeros of this shape, with the array in their first corner."""
    wide = np.zeros(shape, np.float32)
    wide[tuple(map(slice, array.shape))] = array
    return wide


def cropped(array: Array, *shape: int) -> Array:
    """The first corner of this shape, side by side in memory."""
    return np.ascontiguousarray(array[tuple(map(slice, shape))])
