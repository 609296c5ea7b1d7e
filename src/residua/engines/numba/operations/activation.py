"""Activations, sums and means between the layers, on values that are not finished yet."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.normalization import coefficients as normalization
from residua.engines.numba.kernels.normalization import passes
from residua.engines.numba.lazy.materialize import taken
from residua.engines.numba.lazy.values import (
    Gradient,
    Late,
    Norm,
    Padded,
    Pending,
    Promise,
    Spread,
    Subsampled,
    Widened,
)
from residua.engines.numba.operations.linear import HeadKernels
from residua.engines.numba.planning.convolution import MOST_PARTS, padded
from residua.engines.numba.runtime.context import double
from residua.engines.numba.runtime.memory import address as address_of
from residua.engines.vocabulary.core import Saved

Array = NDArray[Any]


class JoinKernels(HeadKernels):
    """relu, add, add_relu, subsample_pad and global_average_pool."""

    def _input(self, x: Any) -> Any:
        """x as a kernel can load it: pending, padded, or an array."""
        while isinstance(x, Promise):
            x = x.get()
        if isinstance(x, Pending | Padded):
            return x
        x = self.plain(x)
        return self.tidy(x) if taken(x) else x

    def _masked(self, dy: Any, y: Pending) -> Gradient:
        """dy as a Gradient by y: as the convolution above left it, or by one more pass."""
        while isinstance(dy, Promise):
            dy = dy.get()
        if isinstance(dy, Gradient) and dy.value.norm is y.norm and (dy.value is y or not y.relu):
            return dy
        machine, norm = self.machine, y.norm
        count, pixels = y.shape[0], norm.raw.size // (y.shape[0] * norm.wide)
        spread = isinstance(dy, Spread)
        rows = self.flat(dy.rows if spread else dy)
        z = self.finished(y) if y.relu else None
        # Without ReLU the gradient is what it was: only its sums are missing.
        g = rows if z is None and not spread else machine.take(norm.raw.size)
        result = 0 if g is rows else address_of(g)
        parts = min(MOST_PARTS, count)
        sums = machine.take(parts * 2 * norm.wide, np.float64)
        block = (
            parts, count, pixels, norm.wide, address_of(rows), int(spread), 0 if z is None else address_of(z),
            address_of(norm.raw), norm.row(normalization.MEAN), result, address_of(sums),
            double(1 / pixels if spread else 1.0),
        )  # fmt: skip
        machine.run(passes.mask_gradient, block, parts, scratch=2 * norm.wide)
        return Gradient(y, g, sums, parts)

    def _unit(self, x: Any) -> Norm:
        """A finished picture as one whose normalisation changes nothing."""
        channels = x.shape[-1]
        return Norm(
            self.flat(x), self.machine.block(normalization.IDENTITY, channels), channels, padded(channels)
        )

    def relu(self, x: Any) -> tuple[Any, Saved]:
        if isinstance(x, Pending) and not x.relu and x.done is None:
            y = Pending(x.shape, x.norm, True, x.skip)
            return y, y
        return super().relu(self.plain(x))

    def relu_backward(self, dy: Any, saved: Saved) -> Any:
        if isinstance(saved, Pending):
            return self._masked(dy, saved)
        return super().relu_backward(self.plain(dy), saved)

    def add_relu(self, a: Any, b: Any) -> tuple[Any, Saved]:
        if not isinstance(a, Pending):
            a, b = b, a
        if isinstance(a, Pending) and not a.relu and a.skip is None and a.done is None:
            y = Pending(a.shape, a.norm, True, b)
            return y, y
        for late, other in ((a, b), (b, a)):
            if isinstance(late, Late) and late.waiting and self._joins(late, other):
                return self._added(late, other)
        if isinstance(a, Subsampled):
            a, b = b, a
        a = self._input(a)
        # A shortcut's kept pixels are found while a kernel loads the sum.
        b = b if isinstance(b, Subsampled) else self._input(b)
        if len(a.shape) == 4 and a.shape == b.shape and taken(a, b) and 0 not in a.shape:
            y = Pending(a.shape, self._unit(a), True, b)
            return y, y
        return super().add_relu(a, b)

    @staticmethod
    def _joins(late: Late, other: Any) -> bool:
        return not isinstance(other, Subsampled) and late.shape == other.shape and taken(other)

    def _added(self, late: Late, other: Any) -> tuple[Pending, Saved]:
        """The convolution run with the shortcut in its epilogue: a finished picture, though of this kind."""
        unit = self._unit(late.add_relu(self.flat(other)))
        y = Pending(late.shape, unit, True)
        y.done = unit.raw
        return y, y

    def add_relu_backward(self, dy: Any, saved: Saved) -> Any:
        return self.relu_backward(dy, saved)

    def add(self, a: Any, b: Any) -> Any:
        if not (isinstance(a, Promise) and a.job is not None and a.job.waiting and a.job.takes_skip):
            a, b = b, a
        if isinstance(a, Promise) and a.job is not None and a.job.waiting and a.job.takes_skip:
            while isinstance(b, Promise):
                b = b.get()
            if a.job.waiting:
                if not isinstance(b, Widened):
                    b = Padded(a.shape, self.flat(b))
                return a.job.run(b)[0]
        return self._sum(a, b)

    def _sum(self, a: Any, b: Any) -> Any:
        a, b = (self._input(value) for value in (a, b))
        if not taken(a, b) or a.shape != b.shape or 0 in a.shape or len(a.shape) != 4:
            return super().add(self.plain(a), self.plain(b))
        first, second = self.flat(a), self.flat(b)
        out = self.machine.take(first.size)
        vectors, shape = first.size // padded(1), a.shape
        parts = min(MOST_PARTS, vectors // 256 + 1)
        block = (parts, vectors, address_of(first), address_of(second), address_of(out))
        self.machine.run(passes.add, block, parts)
        return out.reshape(shape) if padded(shape[3]) == shape[3] else Padded(shape, out)

    def subsample_pad(self, x: Any, *, channels: int, stride: int) -> tuple[Any, Saved]:
        if isinstance(x, Pending):
            n, h, w, _ = x.shape
            return Subsampled(x, (n, -(-h // stride), -(-w // stride), channels), stride), x.shape
        return super().subsample_pad(self.plain(x), channels=channels, stride=stride)

    def subsample_pad_backward(self, dy: Any, saved: Saved, *, channels: int, stride: int) -> Any:
        while isinstance(dy, Promise):
            dy = dy.get()
        if isinstance(dy, Gradient):
            return Widened(dy, saved, stride)
        return super().subsample_pad_backward(self.plain(dy), saved, channels=channels, stride=stride)

    def global_average_pool(self, x: Any) -> tuple[Any, Saved]:
        if isinstance(x, Pending):
            if x.done is not None:
                x = Pending(x.shape, self._unit(x), False)
            wide = x.norm.wide
            mean = self.machine.take(x.shape[0] * wide)
            self._finish(x, mean)
            return self.cropped((x.shape[0], x.shape[3]), mean), x.shape
        return super().global_average_pool(self.plain(x))

    def global_average_pool_backward(self, dy: Any, saved: Saved) -> Any:
        dy = self.plain(dy)
        return Spread(dy, saved) if taken(dy) else super().global_average_pool_backward(dy, saved)
