"""Values of any kind made whole: the engine below the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.normalization import coefficients as normalization
from residua.engines.numba.kernels.normalization import passes
from residua.engines.numba.kernels.pointwise import strides
from residua.engines.numba.lazy.values import Gradient, Padded, Pending, Promise, Spread, Subsampled, Widened
from residua.engines.numba.operations.channel_padding import fitted
from residua.engines.numba.operations.fallback import FallbackEngine
from residua.engines.numba.planning.convolution import MOST_PARTS, padded
from residua.engines.numba.runtime.context import Machine
from residua.engines.numba.runtime.memory import address as address_of
from residua.engines.numba.trace.compiled_step import Compiled
from residua.engines.numba.trace.recording import Unrecordable, mapped

Array = NDArray[Any]
FLOAT = np.dtype(np.float32)


def taken(*arrays: Any) -> bool:
    """Whether kernels take these: float32 and nothing of size zero (values of our own are)."""
    for a in arrays:  # noqa: SIM110 (asked for every operation, and `all` takes three times as long)
        if isinstance(a, np.ndarray) and (a.dtype != FLOAT or a.size == 0):
            return False
    return True


def _tidy(array: Array) -> Array:
    return np.require(array, FLOAT, ("C", "A"))


class FinishingEngine(FallbackEngine):
    """Threads, memory, and how unfinished values are finished."""

    def __init__(self, threads: int | None = None, say: Callable[[str], None] | None = None) -> None:
        super().__init__(threads)
        self.machine = Machine(self.threads, say)

    def share(self, x: Any) -> Any:
        if isinstance(x, Pending):
            x.shared = True
        return x

    def size(self, x: Any) -> int:
        return int(np.prod(x.shape))

    def plain(self, x: Any) -> Any:
        if type(x) is np.ndarray:  # nearly always, so asked first
            return x
        while isinstance(x, Promise):
            x = x.get()
        if isinstance(x, Pending):
            return self.cropped(x.shape, self.finished(x))
        if isinstance(x, Gradient | Padded):
            return self.cropped(x.shape, x.flat)
        if isinstance(x, Spread):
            return super().global_average_pool_backward(self.plain(x.rows), x.shape)
        if isinstance(x, Subsampled):
            return super().subsample_pad(self.plain(x.of), channels=x.shape[3], stride=x.stride)[0]
        if isinstance(x, Widened):
            small = self.plain(x.of)
            if x.shape[3] != small.shape[3] or x.shape[3] % padded(1) != 0:
                return super().subsample_pad_backward(
                    small, x.shape, channels=small.shape[3], stride=x.stride
                )
            large = self.machine.take(int(np.prod(x.shape)))
            self.stride(strides.put_back, x.shape, x.stride, large, self.tidy(small))
            return large.reshape(x.shape)
        return x

    def stride(
        self, kernel: Callable[..., Any], shape: tuple[int, ...], stride: int, large: Array, small: Array
    ) -> None:
        """Take every stride-th pixel out of large pictures of this shape, or put it back."""
        parts = min(MOST_PARTS, shape[0])
        self.machine.run(kernel, (parts, *shape, stride, address_of(large), address_of(small)), parts)

    def cropped(self, shape: tuple[int, ...], flat: Array) -> Array:
        whole = flat.reshape(*shape[:-1], -1)
        return fitted(self.machine, whole, *shape)

    def tidy(self, array: Array) -> Array:
        """The array side by side in memory, at an address that a float may have."""
        flags = array.flags
        if flags.c_contiguous and flags.aligned and array.dtype == FLOAT:
            return array
        return self.machine.host(_tidy, array)

    def flat(self, x: Any) -> Array:
        """Any value as a flat picture, channels padded."""
        while isinstance(x, Promise):
            x = x.get()
        if isinstance(x, Pending):
            return self.finished(x)
        if isinstance(x, Gradient | Padded):
            return x.flat
        x = self.plain(x)
        wide = padded(x.shape[-1])
        if wide == x.shape[-1]:
            return self.tidy(x).reshape(-1)
        return fitted(self.machine, x, *x.shape[:-1], wide).reshape(-1)

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
        scale, shift = norm.row(normalization.SCALE), norm.row(normalization.SHIFT)
        low = machine.constant(0.0 if x.relu else -np.inf, norm.wide)
        skip_at, mean_at = (0 if a is None else address_of(a) for a in (skip, mean))
        block = (
            parts, count, pixels, norm.wide, address_of(norm.raw), scale, shift, low,
            skip_at, address_of(x.done), mean_at,
        )  # fmt: skip
        machine.run(passes.normalize, block, parts, scratch=norm.wide)
        x.skip = None

    def compile(self, step: Callable[..., Any], donate: Sequence[str] = ()) -> Callable[..., Any]:
        return Compiled(self.machine, step, self.plain)

    def apply(self, function: Callable[..., Any], *values: Any) -> Any:
        return self.machine.host(function, np, *mapped(values, self.plain))

    def when(self, flag: Any, compute: Callable[[], Any], otherwise: Any) -> Any:
        flag, tape = self.plain(flag), self.machine.tape
        if tape is None:
            return super().when(flag, compute, otherwise)
        if not flag:
            raise Unrecordable("the flag of a condition does not hold")
        tape.condition(flag)
        return compute()
