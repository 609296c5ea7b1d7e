"""Kernels, threads and memory of one engine, behind one call."""

from __future__ import annotations

import struct
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.planning.convolution import padded
from residua.engines.numba.runtime.kernel_cache import Kernels
from residua.engines.numba.runtime.memory import Pool
from residua.engines.numba.runtime.memory import address as address_of
from residua.engines.numba.runtime.thread_pool import Team
from residua.engines.numba.trace.recording import mapped
from residua.engines.numba.trace.tape import Tape

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
        self.tape: Tape | None = None
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
        scratch = max(scratch, LEAST_SCRATCH)
        with self.team.lock:
            if self.tape is not None:
                self.tape.kernel(code, literals, block, parts, scratch)
            self.team.reserve(scratch)
            self.team.run(code, literals, np.asarray(block, np.int64), parts)

    def host(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """function(*arguments, **options), which reads arrays and gives new ones.

        All work on numbers that is not done by a kernel goes through here, so that it can be recorded.
        """
        with self.team.lock:
            tape, self.tape = self.tape, None  # what the function itself calls is part of it
            try:
                result = function(*arguments, **options)
            finally:
                self.tape = tape
            # A single number is an array too: recorded or not, what follows must be the same.
            result = mapped(result, lambda leaf: np.array(leaf) if isinstance(leaf, np.generic) else leaf)
            return result if tape is None else tape.called(function, (arguments, options), result)

    @contextmanager
    def recording(self, tape: Tape) -> Iterator[Tape]:
        """Record all that this thread does."""
        self.tape, self.pool.watch = tape, tape.lent
        try:
            yield tape
        finally:
            self.tape = self.pool.watch = None

    def kept(self, weight: NDArray[Any], size: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Memory for a weight's transform and for the weight that it was made from, as long as it lives."""
        key = id(weight)
        found = None if self.tape is not None else self._kept.get(key)
        if found is None:
            u, copy = self.pool.fresh(size), self.pool.fresh(weight.size)
            copy[:] = np.nan  # equal to nothing
            if self.tape is not None:
                self.tape.keep(u, copy)
                return u, copy
            found = self._kept[key] = (u, copy, weakref.ref(weight, lambda _: self._kept.pop(key, None)))
        return found[0], found[1]

    def number(self, value: Any, kind: Any = np.float64) -> NDArray[Any]:
        """An array that holds this number for a kernel: the value itself where it is such an array."""
        if isinstance(value, np.ndarray):
            return value if value.dtype == kind else self.host(np.asarray, value, kind)
        held = self.take(1, kind) if self.tape is None else self.pool.fresh(1, kind)
        held[0] = value
        if self.tape is not None:
            self.tape.keep(held)
        return held

    def constants(self) -> list[NDArray[Any]]:
        """What `lanes` and `block` have made."""
        return list(self._constants.values())

    def block(self, numbers: tuple[float, ...], channels: int) -> NDArray[Any]:
        """For each number a row of `channels` (padded) times it, zero beyond."""
        key = (numbers, channels)
        rows = self._constants.get(key)
        if rows is None:
            wide = padded(channels)
            rows = self._constants[key] = self.pool.fresh(len(numbers) * wide)
            rows[:] = 0
            rows.reshape(-1, wide)[:, :channels] = np.array(numbers)[:, None]
        return rows

    def constant(self, value: float, channels: int) -> int:
        """The address of `channels` (padded) times that number."""
        return self.lanes(channels, 0, channels, inside=value)

    def lanes(self, channels: int, start: int, stop: int, inside: float = 1.0) -> int:
        """The address of `channels` (padded) numbers: `inside` from start to stop, zero elsewhere."""
        key = (channels, start, stop, inside)
        vector = self._constants.get(key)
        if vector is None:
            vector = self.pool.fresh(padded(channels))
            vector[:] = 0
            vector[start:stop] = inside
            self._constants[key] = vector
        return address_of(vector)
