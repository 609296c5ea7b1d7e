"""NumbaEngine: the reference's vocabulary with compiled kernels and values that are finished late.

Whatever a kernel does not take (another precision, say) is made an ordinary array and given to the
reference: `super().op(plain(x))` is the whole of it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.normalization import coefficients as normalization
from residua.engines.numba.kernels.normalization import passes
from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pointwise import strides
from residua.engines.numba.lazy.materialize import taken
from residua.engines.numba.lazy.values import (
    Gradient,
    Job,
    Late,
    Padded,
    Pending,
    Promise,
    Strided,
    Widened,
)
from residua.engines.numba.operations import convolution
from residua.engines.numba.operations.activation import JoinKernels
from residua.engines.numba.operations.convolution import convolution_plan, strides_over
from residua.engines.numba.planning.convolution import MOST_PARTS, padded
from residua.engines.numba.runtime.memory import address as address_of
from residua.engines.numpy.convolution import output_size
from residua.engines.vocabulary.core import Saved

Array = NDArray[Any]


def _sum_of_parts(sums: Array, channels: int) -> Array:
    total: Array = sums[:, :channels].sum(axis=0).astype(np.float32)
    return total


class NumbaEngine(JoinKernels):
    """Kernels compiled for this machine."""

    name = "numba"

    # ------------------------------------------------------------------ convolution

    def conv2d(
        self, x: Any, weight: Array, bias: Array | None, *, stride: int, padding: int, relu: bool = False
    ) -> tuple[Any, Saved]:
        x = self._input(x)
        if not self._fits(x, weight, bias):
            return super().conv2d(self.plain(x), weight, bias, stride=stride, padding=padding, relu=relu)
        if strides_over(x, weight, stride, padding):
            y, inner = self.conv2d(self._kept_pixels(x, stride), weight, bias, stride=1, padding=0, relu=relu)
            return y, Strided(inner, x.shape, stride)
        p = convolution_plan(x, weight, stride, padding)
        shape = self._output_shape(x, weight, stride, padding)
        # Within a step nobody writes to what waits to be read.
        if p.adds and not relu and p.k == shape[-1] and self.machine.team.at_work:

            def run(skip: Any) -> Any:
                flat, _ = convolution.forward(self, x, weight, p, bias=bias, skip=skip, statistics=False)
                return flat.reshape(shape)

            return Late(shape, run, self.plain), (x, None, shape)
        flat, _ = convolution.forward(self, x, weight, p, bias=bias, relu=relu, statistics=False)
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
        if isinstance(saved, Strided):
            dx, dweight, bias = self.conv2d_backward(dy, weight, saved.inner, stride=1, padding=0, relu=relu)
            return self._spread_pixels(dx, saved), dweight, bias
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
        self.machine.run(passes.channel_sums, block, parts, scratch=wide)
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

    def _kept_pixels(self, x: Any, stride: int) -> Any:
        """The pixels that a 1x1 convolution with a stride reads."""
        if isinstance(x, Pending) and x.done is None and x.skip is None:
            # A pooling whose windows are one pixel finishes them as it reads them.
            return self.average_pool(x, kernel=1, stride=stride, padding=0)[0]
        n, h, w, c = x.shape
        small = self.machine.take(n * -(-h // stride) * -(-w // stride) * c)
        self.stride(strides.take_out, x.shape, stride, self.flat(x), small)
        return small.reshape(n, -(-h // stride), -(-w // stride), c)

    def _spread_pixels(self, dx: Any, saved: Strided) -> Any:
        def spread() -> Any:
            small = dx
            while isinstance(small, Promise):
                small = small.get()
            return Widened(small, saved.shape, saved.stride)

        return Promise(saved.shape, spread, self.plain)

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
        if strides_over(x, weight, stride, padding):
            kept = self._kept_pixels(x, stride)
            *results, inner = self.conv_norm(
                kept, weight, scale, shift, stride=1, padding=0, eps=eps, relu=relu
            )
            return *results, Strided(inner, x.shape, stride)
        p = convolution_plan(x, weight, stride, padding)
        raw, sums = convolution.forward(self, x, weight, p, statistics=True)
        count = p.count * p.out_height * p.out_width
        norm = convolution.normalize(self, raw, sums, p.parts, count, scale, shift, eps)
        y = Pending(self._output_shape(x, weight, stride, padding), norm, relu)
        return y, norm.vector(normalization.MEAN), norm.vector(normalization.VARIANCE), (x, y, p)

    def conv_norm_backward(
        self, dy: Any, weight: Array, scale: Array, saved: Saved, *, stride: int, padding: int, relu: bool
    ) -> tuple[Any, Any, Any, Any]:
        if isinstance(saved, Strided):
            dx, *rest = self.conv_norm_backward(
                dy, weight, scale, saved.inner, stride=1, padding=0, relu=relu
            )
            return self._spread_pixels(dx, saved), *rest
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
