"""NumbaEngine: the reference's vocabulary with compiled kernels and values that are finished late.

Whatever a kernel does not take (another precision, say) is made an ordinary array and given to the
reference: `super().op(plain(x))` is the whole of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.base import Saved
from residua.engines.numba import convolution, normalization, pictures
from residua.engines.numba.convolution import convolution_plan
from residua.engines.numba.machine import Machine, double
from residua.engines.numba.memory import address as address_of
from residua.engines.numba.plans import padded
from residua.engines.numba.threads import usable_cores
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
from residua.engines.numba.fallback import FallbackEngine

Array = NDArray[Any]
FLOAT = np.dtype(np.float32)
MOST_PARTS = 16


def _taken(*arrays: Any) -> bool:
    """Whether kernels take these: float32 and nothing of size zero (values of our own are)."""
    return all(
        a is None or not isinstance(a, np.ndarray) or (a.dtype == FLOAT and a.size > 0) for a in arrays
    )


def _tidy(array: Array) -> Array:
    """The array side by side in memory, at an address that a float may have."""
    return np.require(array, FLOAT, ("C", "A"))


class NumbaEngine(FallbackEngine):
    """Kernels compiled for this machine."""

    name = "numba"

    def __init__(self, threads: int | None = None, say: Callable[[str], None] | None = None) -> None:
        self.threads = threads or usable_cores()
        self.machine = Machine(self.threads, say)

    # ------------------------------------------------------------------ values
    def share(self, x: Any) -> Any:
        if isinstance(x, Pending):
            x.shared = True
        return x

    def size(self, x: Any) -> int:
        return int(np.prod(x.shape))

    def plain(self, x: Any) -> Any:
        while isinstance(x, Promise):
            x = x.get()
        if isinstance(x, Pending):
            return self._cropped(x.shape, self.finished(x))
        if isinstance(x, Gradient | Padded):
            return self._cropped(x.shape, x.flat)
        if isinstance(x, Spread):
            return super().global_average_pool_backward(self.plain(x.rows), x.shape)
        if isinstance(x, Subsampled):
            return super().subsample_pad(self.plain(x.of), channels=x.shape[3], stride=x.stride)[0]
        if isinstance(x, Widened):
            return super().subsample_pad_backward(self.plain(x.of), x.shape, channels=0, stride=x.stride)
        return x

    @staticmethod
    def _cropped(shape: tuple[int, ...], flat: Array) -> Array:
        whole = flat.reshape(*shape[:-1], -1)
        return whole if whole.shape == shape else np.ascontiguousarray(whole[..., : shape[-1]])

    def flat(self, x: Any) -> Array:
        """Any value as a flat picture, channels padded."""
        while isinstance(x, Promise):
            x = x.get()
        if isinstance(x, Pending):
            return self.finished(x)
        if isinstance(x, Gradient | Padded):
            return x.flat
        x = _tidy(self.plain(x))
        wide = padded(x.shape[-1])
        if wide == x.shape[-1]:
            return x.reshape(-1)
        flat = self.machine.take(x.size // x.shape[-1] * wide)
        rows = flat.reshape(-1, wide)
        rows[:, : x.shape[-1]] = x.reshape(-1, x.shape[-1])
        rows[:, x.shape[-1] :] = 0
        return flat

    def finished(self, x: Pending) -> Array:
        """The finished picture, flat; stored, so that it is made once."""
        if x.done is None:
            self._finish(x, None)
        assert x.done is not None
        return x.done

    def _finish(self, x: Pending, mean: Array | None) -> None:
        machine, norm = self.machine, x.norm
        count, pixels = x.shape[0], norm.raw.size // (x.shape[0] * norm.wide)
        skip = None if x.skip is None else self.flat(x.skip)
        x.done = machine.take(norm.raw.size)
        parts = min(MOST_PARTS, count)
        block = (
            parts, count, pixels, norm.wide, address_of(norm.raw), address_of(norm.row(normalization.SCALE)),
            address_of(norm.row(normalization.SHIFT)), machine.constant(0.0 if x.relu else -np.inf, norm.wide),
            0 if skip is None else address_of(skip), address_of(x.done), 0 if mean is None else address_of(mean),
        )  # fmt: skip
        machine.run(normalization.finish, block, parts, scratch=norm.wide)
        x.skip = None

    def compile(self, step: Callable[..., Any], donate: Sequence[str] = ()) -> Callable[..., Any]:
        def complete(tree: Any) -> Any:
            if isinstance(tree, dict):
                return {name: complete(branch) for name, branch in tree.items()}
            if isinstance(tree, tuple | list):
                return type(tree)(complete(branch) for branch in tree)
            return self.plain(tree)

        def compiled(*args: Any, **kwargs: Any) -> Any:
            with self.machine.team:
                return complete(step(*args, **kwargs))

        return compiled

    # ------------------------------------------------------------------ convolution
    def _input(self, x: Any) -> Any:
        """x as a kernel can load it: pending, padded, or an array."""
        while isinstance(x, Promise):
            x = x.get()
        if isinstance(x, Pending | Padded):
            return x
        x = self.plain(x)
        return _tidy(x) if _taken(x) else x

    def conv2d(
        self, x: Any, weight: Array, bias: Array | None, *, stride: int, padding: int, relu: bool = False
    ) -> tuple[Any, Saved]:
        x = self._input(x)
        if not self._fits(x, weight, bias):
            return super().conv2d(self.plain(x), weight, bias, stride=stride, padding=padding, relu=relu)
        p = convolution_plan(x, weight, stride, padding)
        flat, _ = convolution.forward(self, x, weight, p, bias=bias, relu=relu, statistics=False)
        shape = (p.count, p.out_height, p.out_width, weight.shape[-1])
        y = flat.reshape(shape) if p.k == shape[-1] else Padded(shape, flat)
        return y, (x, flat, shape)

    @staticmethod
    def _fits(x: Any, weight: Array, *others: Any) -> bool:
        return (
            _taken(x, weight, *others)
            and isinstance(weight, np.ndarray)
            and weight.ndim == 4
            and len(x.shape) == 4
            and x.shape[3] == weight.shape[2]
            and x.shape[0] > 0
        )

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
        return sums.reshape(parts, wide)[:, : shape[3]].sum(axis=0).astype(np.float32)

    def _job(self, x: Any, weight: Array, p: Any, arguments: dict[str, Any]) -> tuple[Promise, Promise]:
        def compute(skip: Any) -> tuple[Any, Any]:
            if p.c % padded(1) == 0:
                dx, dweight = convolution.backward(self, x, weight, p, **arguments, skip=skip)
                return dx if isinstance(dx, Gradient) else Padded(x.shape, dx), dweight
            _, dweight = convolution.backward(self, x, weight, p, **arguments, want_dx=False)
            # Nobody reads the gradient by the pictures themselves, as a rule: it waits.
            return Promise(x.shape, alone, self.plain), dweight

        def alone() -> Any:
            n, h, w, c = x.shape
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
        norm = convolution.normalize(self.machine, raw, sums, p.parts, count, scale, shift, eps)
        y = Pending((p.count, p.out_height, p.out_width, weight.shape[-1]), norm, relu)
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
        convolution.normalize_backward(self.machine, y.norm, g, count, scale)
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
            address_of(norm.raw), address_of(norm.row(normalization.MEAN)), address_of(g), address_of(sums),
            double(1 / pixels if spread else 1.0),
        )  # fmt: skip
        machine.run(normalization.mask, block, parts, scratch=2 * norm.wide)
        return Gradient(y, g, sums, parts)

    # ------------------------------------------------------------------ activation and sums
    def _unit(self, x: Any) -> Norm:
        """A finished picture as one whose normalisation changes nothing."""
        flat, channels = self.flat(x), x.shape[-1]
        wide = padded(channels)
        block = self.machine.take(normalization.ROWS * wide)
        block[:] = 0
        block[:wide] = 1
        return Norm(flat, block, channels, wide)

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
        a, b = self.plain(a), self.plain(b)
        return super().add(a, b)

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
            return self._cropped((x.shape[0], x.shape[3]), mean), x.shape
        return super().global_average_pool(self.plain(x))

    def global_average_pool_backward(self, dy: Any, saved: Saved) -> Any:
        dy = self.plain(dy)
        return Spread(dy, saved) if _taken(dy) else super().global_average_pool_backward(dy, saved)
