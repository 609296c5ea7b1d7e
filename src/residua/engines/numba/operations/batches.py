"""Batches of pixels cut out, mirrored and normalised on their way into a network."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.pictures import batches
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context


def crop_and_flip(
    context: Context,
    pixels: NDArray[np.uint8],
    indices: NDArray[np.int64],
    down: NDArray[np.int64],
    right: NDArray[np.int64],
    mirrored: NDArray[np.bool_],
    size: tuple[int, int],
    scale: NDArray[np.float32],
    shift: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Windows of pixels[indices] scale + shift, rounded twice: (N, height, width, C) float32."""
    # A thread of its own prepares batches while the pool works on a step: one core is enough, and
    # neither the pool nor a recording may be touched.
    if pixels.dtype != np.uint8:
        return context.reference.crop_and_flip(pixels, indices, down, right, mirrored, size, scale, shift)
    n, indices = len(indices), np.asarray(indices)
    count, h, w, c = pixels.shape
    if n and not -count <= indices.min() <= indices.max() < count:
        raise IndexError(f"{count} pictures have the places 0 to {count - 1}")
    if pixels.flags.c_contiguous:
        indices = np.where(indices < 0, indices + count, indices)
    else:
        pixels, indices = np.ascontiguousarray(pixels[indices]), np.arange(n)
    windows = np.empty((n, 4), np.int64)
    for column, numbers in enumerate((indices, down, right, mirrored)):
        windows[:, column] = numbers
    rows = [np.tile(numbers, w).astype(np.float32) for numbers in (scale, shift)]
    result = np.empty((n, *size, c), np.float32)
    reversed_rows = np.empty((*size, c), np.uint8)
    kernel = context.kernels.entry(batches.crop_and_flip)
    arrays: list[NDArray[Any]] = [pixels, windows, result, *rows, reversed_rows]
    kernel(*map(address_of, arrays), n, h, w, c, *size)
    return result
