"""Arrays as kernels read them: float32, side by side in memory, made larger with zeros or cropped."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.pictures import channel_padding
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.layout import MOST_PARTS

Array = NDArray[Any]
FLOAT = np.dtype(np.float32)
SHARE = 2**14  # numbers that are worth a part of their own


def kernels_accept(*arrays: Any) -> bool:
    """Whether kernels read these: float32 and nothing of size zero (unfinished values are)."""
    for a in arrays:  # noqa: SIM110 (asked for every operation, and `all` takes three times as long)
        if isinstance(a, np.ndarray) and (a.dtype != FLOAT or a.size == 0):
            return False
    return True


def contiguous(context: Context, array: Array) -> Array:
    """The array side by side in memory, at an address that a float may have."""
    flags = array.flags
    if flags.c_contiguous and flags.aligned and array.dtype == FLOAT:
        return array
    result: Array = context.host(_contiguous, array)
    return result


def _contiguous(array: Array) -> Array:
    return np.require(array, FLOAT, ("C", "A"))


def fitted(context: Context, array: Array, *shape: int) -> Array:
    """float32 numbers of this shape: the array's first corner, and zeros where it has none."""
    if array.shape == shape and array.flags.c_contiguous:
        return array
    plain = array.dtype == np.float32 and array.flags.c_contiguous and array.flags.aligned
    if not plain or len(shape) != array.ndim or array.shape[:-2] != shape[:-2] or array.size == 0:
        return np.asarray(context.host(_fitted, array, *shape))
    rows, columns = (1, *array.shape)[-2:]
    high, wide = (1, *shape)[-2:]
    matrices = prod(shape[:-2])
    result = context.allocate(matrices * high * wide)
    parts = min(MOST_PARTS, result.size // SHARE + 1)
    addresses = address_of(array), address_of(result)
    block = channel_padding.Fit(parts, matrices, rows, columns, high, wide, *addresses)
    context.run(channel_padding.fit, block, parts)
    return result.reshape(shape)


def _fitted(array: Array, *shape: int) -> Array:
    result = np.zeros(shape, np.float32)
    both = tuple(slice(min(old, new)) for old, new in zip(array.shape, shape, strict=True))
    result[both] = array[both]
    return result
