"""NumbaEngine: the reference's vocabulary with compiled kernels and values that are finished late.

Whatever a kernel does not take (another precision, say) is made an ordinary array and given to the
reference: `super().op(plain(x))` is the whole of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.base import Saved
from residua.engines.numba import convolution, normalization, pictures
from residua.engines.numba.convolution import convolution_plan
from residua.engines.numba.finishing import taken
from residua.engines.numba.heads import HeadKernels
from residua.engines.numba.machine import double
from residua.engines.numba.memory import address as address_of
from residua.engines.numba.plans import MOST_PARTS, padded
from residua.engines.numba.values import (
    Gradient,
    Job,
    Norm,
    Padded,
    Pending,
    Promise,
    Spread,
    Subsampled,
    Widened,
)
from residua.engines.numpy_convolution import output_size

Array = NDArray[Any]


def _sum_of_parts(sums: Array, channels: int) -> Array:
    total: Array = sums[:, :channels].sum(axis=0).astype(np.float32)
    return total


class NumbaEngine(HeadKernels):
    """Kernels compiled for this machine."""

    name = "numba"

    # ------------------------------------------------------------------ convolution
    def _input(self, x: Any) -> Any:
        """x as a kernel can load it: pending, padded, or an array."""
        while isinstance(x, Promise):
            x = x.get()
        if isinstance(x, Pending | Padded):
            return x
        x = self.plain(x)
        return self.tidy(x) if taken(x) else x

    def conv2d(
        self, x: Any, weight: Array, bias: Array | None, *, stride: int, padding: int, relu: bool = False
    ) -> tuple[Any, Saved]:
        x = self._input(x)
        if not self._fits(x, weight, bias):
            return super().conv2d(self.plain(x), weight, bias, stride=stride, padding=padding, relu=relu)
        p = convolution_plan(x, weight, stride, padding)
        flat, _ = convolution.forward(self, x, weight, p, bias=bias, relu=relu, statistics=False)
        shape = self._output_shape(x, weight, stride, padding)
        y = flat.reshape(shape) if p.k == shape[-1] else Padded(shape, flat)
        return y, (x, flat, shape)

    @staticmethod
    def _fits(x: Any, weight: Array, *others: Any) -> bool:
        return (
            taken(x, weight, *others)
            and isinstance(weight, np.ndarray)
            and weight.ndim == 4
            and len(x.shape) == 4
            and x.shape[3] == weight.shape[2]
            and x.shape[0] > 0
        )

    @staticmethod
    def _output_shape(x: Any, weight: Array, stride: int, padding: int) -> tuple[int, ...]:
        high, wide = (output_size(side, weight.shape[0], stride, padding) for side in x.shape[1:3])
        return x.shape[0], high, wide, weight.shape[-1]

    def conv2d_backward(
        self, dy: Any, weight: Array, saved: Saved, *, stride: int, padding: int, relu: bool = False
    ) -> tuple[Any, Any, Any]:
        if len(saved) == 2:
            return super().conv2d_backward(
                self.plain(dy), weight, saved, stride=stride, padding=padding, relu=relu
            )
        x, y, shape = saved
        p = convolution_plan(x, weight, stride, padding)
        g = self.flat(dy)
        mode = pictures.MASKED if relu else pictures.AS_IT_IS
        arguments = {"mode": mode, "dy": g, "raw": y if relu else None}
        dx, dweight = self._job(x, weight, p, arguments)
        bias = Promise((shape[3],), lambda: self._channel_sums(g, y if relu else None, shape), self.plain)
        return dx, dweight, bias

    def _channel_sums(self, g: Array, y: Array | None, shape: tuple[int, ...]) -> Array:
        count, wide = shape[0], padded(shape[3])
        parts = min(MOST_PARTS, count)
        sums = self.machine.take(parts * wide, np.float64)
        block = (
            parts, count, g.size // (count * wide), wide, address_of(g), 0 if y is None else address_of(y),
            address_of(sums),
        )  # fmt: skip
        self.machine.run(normalization.channel_sums, block, parts, scratch=wide)
        return self.machine.host(_sum_of_parts, sums.reshape(parts, wide), shape[3])

    def _job(self, x: Any, weight: Array, p: Any, arguments: dict[str, Any]) -> tuple[Promise, Promise]:
        def compute(skip: Any) -> tuple[Any, Any]:
            if p.c % padded(1) == 0:
                dx, dweight = convolution.backward(self, x, weight, p, **arguments, skip=skip)
                return dx if isinstance(dx, Gradient) else Padded(x.shape, dx), dweight
            _, dweight = convolution.backward(self, x, weight, p, **arguments, want_dx=False)
            # Nobody reads the gradient by the pictures themselves, as a rule: it waits.
            return Promise(x.shape, alone, self.plain), dweight

        def alone() -> Any:
            wide = Padded(x.shape, self.flat(x))
            dx, _ = convolution.backward(
                self, wide, weight, convolution_plan(wide, weight, p.stride, p.padding), **arguments
            )
            return Padded(x.shape, dx)

        job = Job(x, compute, isinstance(x, Pending))
        return (
            Promise(x.shape, lambda: job.run()[0], self.plain, job),
            Promise(weight.shape, lambda: job.run()[1], self.plain),
        )

    # ------------------------------------------------------------------ convolution with normalisation
    def conv_norm(
        self,
        x: Any,
        weight: Array,
        scale: Array,
        shift: Array,
        *,
        stride: int,
        padding: int,
        eps: float,
        relu: bool,
    ) -> tuple[Any, Array, Array, Saved]:
        x = self._input(x)
        if not self._fits(x, weight, scale, shift):
            return super().conv_norm(
                self.plain(x), weight, scale, shift, stride=stride, padding=padding, eps=eps, relu=relu
            )
        p = convolution_plan(x, weight, stride, padding)
        raw, sums = convolution.forward(self, x, weight, p, statistics=True)
        count = p.count * p.out_height * p.out_width
        norm = convolution.normalize(self, raw, sums, p.parts, count, scale, shift, eps)
        y = Pending(self._output_shape(x, weight, stride, padding), norm, relu)
        return y, norm.vector(normalization.MEAN), norm.vector(normalization.VARIANCE), (x, y, p)

    def conv_norm_backward(
        self, dy: Any, weight: Array, scale: Array, saved: Saved, *, stride: int, padding: int, relu: bool
    ) -> tuple[Any, Any, Any, Any]:
        if len(saved) == 2:
            return super().conv_norm_backward(
                self.plain(dy), weight, scale, saved, stride=stride, padding=padding, relu=relu
            )
        x, y, p = saved
        g = self._masked(dy, y)
        count = p.count * p.out_height * p.out_width
        convolution.normalize_backward(self, y.norm, g, count, scale)
        arguments = {
            "mode": pictures.AFFINE, "dy": g.flat, "raw": y.norm.raw, "coefficients": y.norm.coefficients,
        }  # fmt: skip
        dx, dweight = self._job(x, weight, p, arguments)
        return dx, dweight, y.norm.vector(normalization.DSCALE), y.norm.vector(normalization.DSHIFT)

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
        g = machine.take(norm.raw.size)
        parts = min(MOST_PARTS, count)
        sums = machine.take(parts * 2 * norm.wide, np.float64)
        block = (
            parts, count, pixels, norm.wide, address_of(rows), int(spread), 0 if z is None else address_of(z),
            address_of(norm.raw), norm.row(normalization.MEAN), address_of(g), address_of(sums),
            double(1 / pixels if spread else 1.0),
        )  # fmt: skip
        machine.run(normalization.mask, block, parts, scratch=2 * norm.wide)
        return Gradient(y, g, sums, parts)

    # ------------------------------------------------------------------ activation and sums
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
        a, b = self._input(a), self._input(b)
        if len(a.shape) == 4 and a.shape == b.shape and taken(a, b) and 0 not in a.shape:
            y = Pending(a.shape, self._unit(a), True, b)
            return y, y
        return super().add_relu(a, b)

    def add_relu_backward(self, dy: Any, saved: Saved) -> Any:
        return self.relu_backward(dy, saved)

    def add(self, a: Any, b: Any) -> Any:
        if not (isinstance(a, Promise) and a.job is not None and a.job.waiting and a.job.takes_skip):
            a, b = b, a
        if isinstance(a, Promise) and a.job is not None and a.job.waiting and a.job.takes_skip:
            while isinstance(b, Promise):
                b = b.get()
            if a.job.waiting:
                if not (isinstance(b, Widened) and isinstance(b.of, Gradient)):
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
        self.machine.run(normalization.add, block, parts)
        return out.reshape(shape) if padded(shape[3]) == shape[3] else Padded(shape, out)

    # ------------------------------------------------------------------ shape and pooling
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
        if isinstance(x, Pending) and x.done is None:
            wide = x.norm.wide
            mean = self.machine.take(x.shape[0] * wide)
            self._finish(x, mean)
            return self.cropped((x.shape[0], x.shape[3]), mean), x.shape
        return super().global_average_pool(self.plain(x))

    def global_average_pool_backward(self, dy: Any, saved: Saved) -> Any:
        dy = self.plain(dy)
        return Spread(dy, saved) if taken(dy) else super().global_average_pool_backward(dy, saved)
