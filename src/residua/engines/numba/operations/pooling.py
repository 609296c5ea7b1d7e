"""Pooling on the host's side: what the kernels of `pooling` are given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.normalization import coefficients as normalization
from residua.engines.numba.kernels.pooling import arguments as pooling
from residua.engines.numba.kernels.pooling.backward import backward as pool_backward
from residua.engines.numba.kernels.pooling.forward import forward as pool_forward
from residua.engines.numba.lazy.materialize import taken
from residua.engines.numba.lazy.values import Gradient, Padded, Pending, Promise
from residua.engines.numba.operations.optimizers import VariableKernels
from residua.engines.numba.planning.convolution import MOST_PARTS, padded
from residua.engines.numba.runtime.memory import address as address_of
from residua.engines.numpy.convolution import output_size
from residua.engines.vocabulary.core import Saved

Array = NDArray[Any]


class PoolKernels(VariableKernels):
    """max_pool and average_pool."""

    def max_pool(self, x: Any, *, kernel: int, stride: int, padding: int) -> tuple[Any, Saved]:
        if not self._pools(x):
            return super().max_pool(x, kernel=kernel, stride=stride, padding=padding)
        return self._pool(pooling.MAXIMUM, x, kernel, stride, padding)

    def max_pool_backward(self, dy: Any, saved: Saved, *, kernel: int, stride: int, padding: int) -> Any:
        if len(saved) == 2:
            return super().max_pool_backward(dy, saved, kernel=kernel, stride=stride, padding=padding)
        return self._pool_backward(pooling.MAXIMUM, dy, saved)

    def average_pool(self, x: Any, *, kernel: int, stride: int, padding: int) -> tuple[Any, Saved]:
        if not self._pools(x):
            return super().average_pool(x, kernel=kernel, stride=stride, padding=padding)
        return self._pool(pooling.AVERAGE, x, kernel, stride, padding)

    def average_pool_backward(self, dy: Any, saved: Saved, *, kernel: int, stride: int, padding: int) -> Any:
        if len(saved) == 4:
            return super().average_pool_backward(dy, saved, kernel=kernel, stride=stride, padding=padding)
        return self._pool_backward(pooling.AVERAGE, dy, saved)

    @staticmethod
    def _pools(x: Any) -> bool:
        return len(x.shape) == 4 and taken(x)

    def _pool(self, kind: int, x: Any, kernel: int, stride: int, padding: int) -> tuple[Any, Saved]:
        machine = self.machine
        while isinstance(x, Promise):
            x = x.get()
        n, h, w, c = x.shape
        out_height, out_width = (output_size(side, kernel, stride, padding) for side in (h, w))
        wide = padded(c)
        y = machine.take(n * out_height * out_width * wide)
        block = np.zeros(pooling.FIELDS, np.int64)
        parts = min(MOST_PARTS, n)
        block[:10] = parts, n, h, w, wide, out_height, out_width, kernel, stride, padding
        held = self._read(block, x)
        block[pooling.Y] = address_of(y)
        machine.run(pool_forward, block, parts, (kind, 0, 0, 0), True)
        shape = (n, out_height, out_width, c)
        result = y.reshape(shape) if wide == c else Padded(shape, y)
        return result, (x, y, block, held, parts)

    def _read(self, block: Array, x: Any) -> Any:
        """Fill in where x lies and what is still to be done to it; what must stay alive."""
        machine, c = self.machine, x.shape[3]
        low = machine.constant(0.0 if isinstance(x, Pending) and x.relu else -np.inf, c)
        block[pooling.LOW] = low
        if isinstance(x, Pending) and x.done is None and x.skip is None:
            block[pooling.X] = address_of(x.norm.raw)
            block[pooling.SCALE] = x.norm.row(normalization.SCALE)
            block[pooling.SHIFT] = x.norm.row(normalization.SHIFT)
            return x.norm
        flat = self.flat(x)
        block[pooling.X] = address_of(flat)
        block[pooling.SCALE], block[pooling.SHIFT] = machine.constant(1.0, c), machine.constant(0.0, c)
        return flat

    def _pool_backward(self, kind: int, dy: Any, saved: Saved) -> Any:
        machine = self.machine
        x, y, block, held, parts = saved
        g, c = self.flat(dy), x.shape[3]
        wide = padded(c)
        dx = machine.take(x.shape[0] * x.shape[1] * x.shape[2] * wide)
        block = block.copy()
        block[pooling.Y], block[pooling.DY], block[pooling.DX] = map(address_of, (y, g, dx))
        block[pooling.RAW], block[pooling.MEAN] = block[pooling.X], machine.constant(0.0, c)
        sums = None
        if isinstance(x, Pending):
            sums = machine.take(parts * 2 * wide, np.float64)
            block[pooling.SUMS] = address_of(sums)
            block[pooling.RAW] = address_of(x.norm.raw)
            block[pooling.MEAN] = x.norm.row(normalization.MEAN)
        machine.run(pool_backward, block, parts, (kind, 0, 0, 0), True, scratch=2 * wide)
        del held
        return Padded(x.shape, dx) if sums is None else Gradient(x, dx, sums, parts)
