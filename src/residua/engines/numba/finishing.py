"""Values of any kind made whole: the engine below the engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba import normalization
from residua.engines.numba.fallback import FallbackEngine
from residua.engines.numba.machine import Machine
from residua.engines.numba.memory import address as address_of
from residua.engines.numba.plans import MOST_PARTS, padded
from residua.engines.numba.values import Gradient, Padded, Pending, Promise, Spread, Subsampled, Widened

Array = NDArray[Any]
FLOAT = np.dtype(np.float32)


def taken(*arrays: Any) -> bool:
    """Whether kernels take these: float32 and nothing of size zero (values of our own are)."""
    for a in arrays:  # noqa: SIM110 (asked for every operation, and `all` takes three times as long)
        if isinstance(a, np.ndarray) and (a.dtype != FLOAT or a.size == 0):
            return False
    return True


def tidy(array: Array) -> Array:
    """The array side by side in memory, at an address that a float may have."""
    flags = array.flags
    if flags.c_contiguous and flags.aligned and array.dtype == FLOAT:
        return array
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
            return super().subsample_pad_backward(
                self.plain(x.of), x.shape, channels=x.of.shape[3], stride=x.stride
            )
        return x

    @staticmethod
    def cropped(shape: tuple[int, ...], flat: Array) -> Array:
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
        x = tidy(self.plain(x))
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
        scale, shift = norm.row(normalization.SCALE), norm.row(normalization.SHIFT)
        low = machine.constant(0.0 if x.relu else -np.inf, norm.wide)
        skip_at, mean_at = (0 if a is None else address_of(a) for a in (skip, mean))
        block = (
            parts, count, pixels, norm.wide, address_of(norm.raw), scale, shift, low,
            skip_at, address_of(x.done), mean_at,
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
