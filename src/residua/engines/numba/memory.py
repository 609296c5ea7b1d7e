"""Memory for activations, lent and taken back without a word.

A step asks for the same sizes in the same order every time, so after the first step nothing is allocated.
`take` lends an ordinary array. When it and all views of it are gone, its memory goes back to the pile that
it came from: nobody has to release anything, and an array that outlives the step stays valid.

Every array begins on a cache line and has GUARD bytes before and behind it, which kernels may read (never
use) where a vector reaches over the edge.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.errors import EngineError

ALIGNMENT = 64
GUARD = 1024


def memory_limit() -> int:
    """Bytes that activations may take: nine tenths of this machine's memory, where it can be told."""
    try:
        return int(0.9 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return 1 << 62


class Lease(np.ndarray):
    """The owner of one lent array; its end is the memory's return."""

    pile: list[Any]
    memory: Any
    at: int

    def __del__(self) -> None:
        self.pile.append(self.memory)


class Pool:
    """Piles of free memory by size."""

    def __init__(self) -> None:
        self._piles: dict[tuple[int, Any], list[Any]] = {}
        self.made = 0
        self.bytes = 0
        self.limit = memory_limit()
        self.batch = 0  # pictures of the convolution that asks, for the message

    def _too_much(self, size: int) -> EngineError:
        needed = self.bytes + size
        fits = max(1, min(int(0.8 * self.batch * self.limit / needed), self.batch // 2))
        return EngineError(
            f"a batch of {self.batch} needs {needed / 2**30:.1f} GiB for its activations or more; "
            f"this machine has {self.limit / 2**30:.1f} GiB for them: try a batch of {fits}"
        )

    def _release_idle(self) -> None:
        """Give back what nobody uses, such as the buffers of another batch size."""
        for pile in self._piles.values():
            self.bytes -= sum(len(raw) for raw, _, _ in pile)
            pile.clear()

    def take(self, count: int, dtype: Any = np.float32) -> NDArray[Any]:
        """(count,) numbers, aligned, not cleared."""
        pile = self._piles.get((count, dtype))
        if pile is None:
            pile = self._piles[count, dtype] = []
        if not pile:
            size = count * np.dtype(dtype).itemsize + 2 * GUARD + ALIGNMENT
            if self.bytes + size > self.limit:
                self._release_idle()
            if self.bytes + size > self.limit:
                raise self._too_much(size)
            # Not an ndarray: NumPy would make it the base of all views, past the lease.
            try:
                raw = bytearray(size)
            except MemoryError:
                raise self._too_much(size) from None
            start = np.frombuffer(raw, np.uint8).ctypes.data
            self.made += 1
            self.bytes += len(raw)
            shift = GUARD + -start % ALIGNMENT
            pile.append((raw, shift, start + shift))
        memory = pile.pop()
        lease = Lease(count, dtype, memory[0], memory[1])
        lease.pile, lease.memory, lease.at = pile, memory, memory[2]
        return lease.view(np.ndarray)


def address(array: NDArray[Any]) -> int:
    """Where an array's first number lies."""
    base = array.base
    if type(base) is Lease and base.nbytes == array.nbytes:
        # NumPy takes longer to say it, and it is asked hundreds of times a step.
        return base.at
    return int(array.__array_interface__["data"][0])
