"""Memory for activations, lent and taken back without a word.

A step asks for the same sizes in the same order every time, so after the first step nothing is allocated.
`take` lends an ordinary array. When it and all views of it are gone, its memory goes back to the pile that
it came from: nobody has to release anything, and an array that outlives the step stays valid.

Every array begins on a cache line and has GUARD bytes before and behind it, which kernels may read (never
use) where a vector reaches over the edge.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ALIGNMENT = 64
GUARD = 1024


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

    def take(self, count: int, dtype: Any = np.float32) -> NDArray[Any]:
        """(count,) numbers, aligned, not cleared."""
        pile = self._piles.get((count, dtype))
        if pile is None:
            pile = self._piles[count, dtype] = []
        if not pile:
            # Not an ndarray: NumPy would make it the base of all views, past the lease.
            raw = bytearray(count * np.dtype(dtype).itemsize + 2 * GUARD + ALIGNMENT)
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
