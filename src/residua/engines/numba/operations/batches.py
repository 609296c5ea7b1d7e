"""Batches of pixels on the host's side."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types
from numpy.typing import NDArray

from residua.engines.numba.kernels.pictures import batches as loading
from residua.engines.numba.lazy.materialize import FinishingEngine
from residua.engines.numba.runtime.memory import address as address_of

SIGNATURE = (types.int64,) * 12


class LoadKernels(FinishingEngine):
    """crop_and_flip."""

    _crop: Any = None

    def crop_and_flip(
        self,
        pixels: NDArray[np.uint8],
        indices: NDArray[np.int64],
        down: NDArray[np.int64],
        right: NDArray[np.int64],
        mirrored: NDArray[np.bool_],
        size: tuple[int, int],
        scale: NDArray[np.float32],
        shift: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        # A thread of its own prepares batches while the team works on a step: one core is enough, and
        # neither the team nor a recording may be touched.
        if pixels.dtype != np.uint8:
            return super().crop_and_flip(pixels, indices, down, right, mirrored, size, scale, shift)
        n, indices = len(indices), np.asarray(indices)
        count, h, w, c = pixels.shape
        if n and not -count <= indices.min() <= indices.max() < count:
            raise IndexError(f"{count} pictures have the places 0 to {count - 1}")
        if pixels.flags.c_contiguous:
            indices = np.where(indices < 0, indices + count, indices)
        else:
            pixels, indices = np.ascontiguousarray(pixels[indices]), np.arange(n)
        places = np.empty((n, 4), np.int64)
        for column, numbers in enumerate((indices, down, right, mirrored)):
            places[:, column] = numbers
        rows = [np.tile(numbers, w).astype(np.float32) for numbers in (scale, shift)]
        result = np.empty((n, *size, c), np.float32)
        kernel = self._crop = self._crop or self.machine.kernels.entry(loading.crop_and_flip, SIGNATURE)
        turned = np.empty((*size, c), np.uint8)
        arrays: list[NDArray[Any]] = [pixels, places, result, *rows, turned]
        kernel(*map(address_of, arrays), n, h, w, c, *size)
        return result
