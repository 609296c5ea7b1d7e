"""Kernels, threads and memory of one engine, behind one call."""

from __future__ import annotations

import struct
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.cache import Kernels
from residua.engines.numba.memory import Pool
from residua.engines.numba.memory import address as address_of
from residua.engines.numba.plans import padded
from residua.engines.numba.team import Team

NONE = (0, 0, 0, 0)
LEAST_SCRATCH = 1 << 16


def double(number: float) -> int:
    """A float64 as it lies in a block of int64."""
    return int(struct.unpack("<q", struct.pack("<d", number))[0])


class Machine:
    """What an engine runs on."""

    def __init__(self, threads: int, say: Callable[[str], None] | None = None) -> None:
        self.kernels = Kernels(say)
        self.team = Team(threads, self.kernels)
        self.pool = Pool()
        self.take = self.pool.take
        self._constants: dict[Any, NDArray[Any]] = {}
        self._kept: dict[int, tuple[Any, Any, Any]] = {}

    def run(
        self,
        function: Callable[..., Any],
        block: Sequence[int] | NDArray[Any],
        parts: int,
        literals: Sequence[int] = NONE,
        specialised: bool = False,
        scratch: int = LEAST_SCRATCH,
    ) -> None:
        """Run all parts of a kernel with this block of arguments."""
        code = self.kernels.address(function, tuple(literals) if specialised else ())
        with self.team.lock:
            self.team.reserve(max(scratch, LEAST_SCRATCH))
            self.team.run(code, literals, np.asarray(block, np.int64), parts)

    def kept(self, weight: NDArray[Any], size: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Memory for a weight's transform and for the weight that it was made from, as long as it lives."""
        key = id(weight)
        found = self._kept.get(key)
        if found is None:
            u, copy = self.take(size), self.take(weight.size)
            copy[:] = np.nan  # equal to nothing
            found = self._kept[key] = (u, copy, weakref.ref(weight, lambda _: self._kept.pop(key, None)))
        return found[0], found[1]

    def constant(self, value: float, channels: int) -> int:
        """The address of `channels` (padded) times that number."""
        return self.lanes(channels, 0, channels, inside=value)

    def lanes(self, channels: int, start: int, stop: int, inside: float = 1.0) -> int:
        """The address of `channels` (padded) numbers: `inside` from start to stop, zero elsewhere."""
        key = (channels, start, stop, inside)
        vector = self._constants.get(key)
        if vector is None:
            vector = self.take(padded(channels))
            vector[:] = 0
            vector[start:stop] = inside
            self._constants[key] = vector
        return address_of(vector)
