"""Memory for activations, lent and taken back without a word.

A step asks for the same sizes in the same order every time, so after the first step nothing is allocated.
`BufferPool.allocate` lends an ordinary array. When it and all views of it are gone, its memory goes back to
the pile that it came from: nobody has to release anything, and an array that outlives the step stays valid.

Every array begins on a cache line and has GUARD bytes before and behind it, which kernels may read (never
use) where a vector reaches over the edge.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.errors import EngineError

ALIGNMENT = 64
GUARD = 1024
HUGE = 2**21  # bytes of a large page: with small ones, a step would wait for page tables
CHUNK = 2**26
LARGE = 4 * HUGE  # from here on what is not lent again has memory of its own, which the system gets back


def memory_limit() -> int:
    """Bytes that activations may take: nine tenths of this machine's memory, where it can be told."""
    try:
        return int(0.9 * os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return 1 << 62


class Block:
    """Some memory: a part of a buffer, where it lies, and how long it is, in bytes.

    Once nobody has it any more, its length is added to `ended`.
    """

    __slots__ = ("address", "buffer", "ended", "offset", "size")

    def __init__(self, buffer: Any, offset: int, address: int, size: int, ended: list[int]) -> None:
        self.buffer, self.offset, self.address, self.size = buffer, offset, address, size
        self.ended = ended

    def __del__(self) -> None:
        self.ended.append(self.size)


class Chunks:
    """Blocks, cut one after the other from memory in large pages.

    chunk: bytes that are taken at a time; ended: a list that the blocks' ends are told.
    """

    def __init__(self, ended: list[int] | None = None, chunk: int = CHUNK) -> None:
        self._ended, self._chunk = [] if ended is None else ended, chunk
        self._buffer: Any = None
        self._next = self._end = self._start = 0

    def _map(self, size: int) -> None:
        # Not an ndarray: NumPy would make it the base of all views, past the lease.
        # Private, so that a forked process has its own.
        private = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
        self._buffer = mmap.mmap(-1, size + HUGE, **private)
        self._start = int(np.frombuffer(self._buffer, np.uint8).ctypes.data)
        self._next = -self._start % HUGE
        self._end = size + HUGE
        if hasattr(mmap, "MADV_HUGEPAGE"):
            with contextlib.suppress(OSError):  # a system without large pages
                self._buffer.madvise(mmap.MADV_HUGEPAGE)

    def cut(self, size: int) -> Block:
        """That many bytes on a cache line, with GUARD bytes before and behind. Raises MemoryError."""
        needed = size + 2 * GUARD + ALIGNMENT
        if self._next + needed > self._end:
            try:
                self._map(max(self._chunk, needed))
            except (OSError, ValueError, OverflowError):
                raise MemoryError from None
        first = self._next + GUARD
        first += -(self._start + first) % ALIGNMENT
        self._next = first + size + GUARD
        return Block(self._buffer, first, self._start + first, size, self._ended)


class Lease(np.ndarray):
    """The owner of one lent array; its end is the memory's return."""

    pile: list[Block]
    memory: Block

    def __del__(self) -> None:
        self.pile.append(self.memory)


class Loan:
    """Blocks that somebody has for a long time, each with the pile that it goes back to at the loan's end."""

    def __init__(self, blocks: list[tuple[list[Block], Block]]) -> None:
        self._blocks = blocks

    def __del__(self) -> None:
        for pile, block in self._blocks:
            pile.append(block)


class BufferPool:
    """Piles of free memory by size."""

    def __init__(self) -> None:
        self._piles: dict[tuple[int, Any], list[Block]] = {}
        self._ended: list[int] = []  # lengths of blocks that are gone, not yet subtracted
        self._bytes = 0
        self.renew()
        self.blocks_created = 0
        self.limit = memory_limit()
        self.batch = 0  # pictures of the convolution that asks, for the message

    def renew(self) -> None:
        """In a forked child: cut from memory that no other thread was about to cut from."""
        # Apart: a block that waits to be lent again would keep a whole chunk from the system.
        self._chunks, self._fresh = Chunks(self._ended), Chunks(self._ended)
        self._lock = threading.Lock()
        self.on_lend: Callable[[Lease], None] | None = None  # called with everything that is lent

    @property
    def bytes(self) -> int:
        """What is lent, for a short time or a long one, and what lies in piles."""
        with self._lock:
            return self._settled()

    def _settled(self) -> int:
        """`bytes`, by who has the lock."""
        while self._ended:
            self._bytes -= self._ended.pop()
        return self._bytes

    def _too_much(self, size: int) -> EngineError:
        needed = self._settled() + size
        fits = max(1, min(int(0.8 * self.batch * self.limit / needed), self.batch // 2))
        return EngineError(
            f"a batch of {self.batch} needs {needed / 2**30:.1f} GiB for its activations or more; "
            f"this machine has {self.limit / 2**30:.1f} GiB for them: try a batch of {fits}"
        )

    def _release_idle(self) -> None:
        """Give back what nobody uses, such as the buffers of another batch size."""
        for pile in self._piles.values():
            pile.clear()

    def take_out(self, blocks: set[int]) -> set[int]:
        """Take these blocks of memory (by `id`) off their piles; those of them that lay there, unused."""
        unused = set()
        for pile in self._piles.values():
            matches = {id(block) for block in pile} & blocks
            if matches:
                pile[:] = [block for block in pile if id(block) not in matches]
                unused |= matches
        return unused

    def allocate(self, count: int, dtype: Any = np.float32) -> NDArray[Any]:
        """(count,) numbers, aligned, not cleared."""
        pile = self._piles.get((count, dtype))
        if pile is None:
            pile = self._piles[count, dtype] = []
        try:
            block = pile.pop()
        except IndexError:
            block = self._cut(count * np.dtype(dtype).itemsize)
        return self._lend(pile, block, count, dtype)

    def _cut(self, size: int) -> Block:
        with self._lock:
            if self._settled() + size > self.limit:
                self._release_idle()
            if self._settled() + size > self.limit:
                raise self._too_much(size)
            try:
                block = self._chunks.cut(size)
            except MemoryError:
                raise self._too_much(size) from None
            self.blocks_created += 1
            self._bytes += size
        return block

    def allocate_fresh(self, count: int, dtype: Any = np.float32) -> NDArray[Any]:
        """(count,) numbers in memory that nothing has used before, and nothing will after.

        What a recording keeps from one replay to the next must not lie where the step, earlier on, puts
        something else.
        """
        size = count * np.dtype(dtype).itemsize
        with self._lock:
            block = (self._fresh if size < LARGE else Chunks(self._ended, size)).cut(size)
            self._bytes += size
        return self._lend([], block, count, dtype)

    def _lend(self, pile: list[Block], block: Block, count: int, dtype: Any) -> NDArray[Any]:
        lease = Lease(count, dtype, block.buffer, block.offset)
        lease.pile, lease.memory = pile, block
        if self.on_lend is not None:
            self.on_lend(lease)
        return lease.view(np.ndarray)


def lease_of(array: Any) -> Lease | None:
    """What the array's memory was lent by; None for an array of NumPy's own."""
    while isinstance(array, np.ndarray):
        if type(array) is Lease:
            return array
        array = array.base
    return None


def nobody_writes(array: Any) -> bool:
    """Whether it can be written to neither by itself nor through what it is a view of."""
    while isinstance(array, np.ndarray):
        if array.flags.writeable:
            return False
        array = array.base
    return array is None


def address(array: NDArray[Any]) -> int:
    """Where an array's first number lies."""
    base = array.base
    if type(base) is Lease and base.nbytes == array.nbytes:
        # NumPy takes longer to say it, and it is asked hundreds of times a step.
        return base.memory.address
    return int(array.__array_interface__["data"][0])
