"""Arrays made larger with zeros, or smaller, on the host's side."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.pictures import channel_padding as corners
from residua.engines.numba.planning.convolution import MOST_PARTS
from residua.engines.numba.runtime.context import Machine
from residua.engines.numba.runtime.memory import address as address_of

Array = NDArray[Any]
SHARE = 2**14  # numbers that are worth a part of their own


def fitted(machine: Machine, array: Array, *shape: int) -> Array:
    """float32 numbers of this shape: the array's first corner, and zeros where it has none."""
    if array.shape == shape and array.flags.c_contiguous:
        return array
    plain = array.dtype == np.float32 and array.flags.c_contiguous and array.flags.aligned
    if not plain or len(shape) != array.ndim or array.shape[:-2] != shape[:-2] or array.size == 0:
        return np.asarray(machine.host(_fitted, array, *shape))
    rows, columns = (1, *array.shape)[-2:]
    high, wide = (1, *shape)[-2:]
    matrices = prod(shape[:-2])
    result = machine.take(matrices * high * wide)
    parts = min(MOST_PARTS, result.size // SHARE + 1)
    block = (parts, matrices, rows, columns, high, wide, address_of(array), address_of(result))
    machine.run(corners.fit, block, parts)
    return result.reshape(shape)


def _fitted(array: Array, *shape: int) -> Array:
    result = np.zeros(shape, np.float32)
    both = tuple(slice(min(old, new)) for old, new in zip(array.shape, shape, strict=True))
    result[both] = array[both]
    return result
