"""What the operations of one engine share: compiled kernels, threads, memory, the recording of a step.

Every operation of this engine is a function whose first argument is the `Context`.
"""

from __future__ import annotations

import struct
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.primitives.arguments import Double
from residua.engines.numba.runtime.buffers import BufferPool, Lease, nobody_writes
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.fork import renew_in_child
from residua.engines.numba.runtime.kernel_cache import KernelCache
from residua.engines.numba.runtime.layout import padded
from residua.engines.numba.runtime.thread_pool import ThreadPool
from residua.engines.numba.runtime.trees import map_leaves
from residua.engines.vocabulary.core import Engine
from residua.engines.vocabulary.together import Together

NONE = (0, 0, 0, 0)
LEAST_SCRATCH = 1 << 16


def double(number: float) -> Double:
    """A float64 as it lies in a block of int64."""
    return Double(struct.unpack("<q", struct.pack("<d", number))[0])


class Recorder(Protocol):
    """What a context tells of a step while it is recorded (`trace.tape.Tape`)."""

    prepares: Any  # the weight of which the next kernel makes something that is kept

    def lent(self, lease: Lease) -> None:
        """Memory was lent."""

    def kernel(self, function: int, literals: Sequence[int], block: Any, parts: int, scratch: int) -> None:
        """A kernel ran."""

    def called(self, function: Callable[..., Any], arguments: Any, result: Any) -> Any:
        """Something happened on the host; the result."""

    def keep(self, *arrays: Any) -> None:
        """These keep what they hold from one replay to the next."""

    def condition(self, flag: Any) -> None:
        """The step goes on because this flag holds."""


# From where a result and, or 0, a copy of the weight lie: a kernel, its block and how many parts it has.
Prepare = Callable[[int, int], tuple[Callable[..., Any], Sequence[int], int]]


class Prepared:
    """What was made of a weight; `settled`: not to be made again as long as nobody can write to that."""

    __slots__ = ("arrays", "settled", "weight")

    def __init__(self, arrays: list[NDArray[Any]], weight: Any) -> None:
        self.arrays, self.weight, self.settled = arrays, weight, False


class Context:
    """What the operations of one engine run on; `reference` computes what no kernel takes."""

    def __init__(self, threads: int, reference: Engine, say: Callable[[str], None] | None = None) -> None:
        self.reference = reference
        self.kernels = KernelCache(say)
        self.thread_pool = ThreadPool(threads, self.kernels)
        self.memory = BufferPool()
        self.allocate = self.memory.allocate
        self.tape: Recorder | None = None
        self._constants: dict[Any, NDArray[Any]] = {}
        self._prepared: dict[Any, Prepared] = {}
        self.forks = 0
        self.together: Together | None = None
        self.inputs_only = False  # whether nobody reads gradients by weights (`Engine.input_gradient`)
        renew_in_child(self)

    def renew(self) -> None:
        """In a forked child: forget what other threads may have been in the middle of.

        Recordings with it (`forks` says so): what they keep from one replay to the next may be half
        written.
        """
        if self.thread_pool.renew():
            self.memory.renew()
            self.tape = None
            self.inputs_only = False
            self._constants.clear()
            self._prepared.clear()
            self.forks += 1

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
        with self.thread_pool.lock:
            if self.tape is not None:
                self.tape.kernel(code, literals, block, parts, scratch)
            self.thread_pool.reserve(scratch)
            self.thread_pool.run(code, literals, np.asarray(block, np.int64), parts)

    def host(self, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
        """function(*arguments, **options), which reads arrays and gives new ones.

        All work on numbers that is not done by a kernel goes through here, so that it can be recorded.
        """
        with self.thread_pool.lock:
            tape, self.tape = self.tape, None  # what the function itself calls is part of it
            try:
                result = function(*arguments, **options)
            finally:
                self.tape = tape
            # A single number is an array too: recorded or not, what follows must be the same.
            result = map_leaves(result, lambda leaf: np.array(leaf) if isinstance(leaf, np.generic) else leaf)
            return result if tape is None else tape.called(function, (arguments, options), result)

    @contextmanager
    def recording(self, tape: Recorder) -> Iterator[None]:
        """Record all that this thread does."""
        self.tape, self.memory.on_lend = tape, tape.lent
        try:
            yield
        finally:
            self.tape = self.memory.on_lend = None

    def prepared(self, weight: NDArray[Any], size: int, kind: Any, prepare: Prepare) -> list[NDArray[Any]]:
        """`size` numbers that a kernel makes of a weight, kept as long as the weight, with what it needs.

        kind: what tells them from others of that weight.

        Of a weight that nobody can write to they are made once; else the kernel runs every time, and may
        compare the weight with the copy that it is given, to see whether it has changed.
        """
        key, settled = (id(weight), size, kind), nobody_writes(weight)
        entry = None if self.tape is not None else self._prepared.get(key)
        if entry is not None and settled and entry.settled:
            return entry.arrays
        if entry is None:
            arrays = [self.memory.allocate_fresh(size)]
            if not settled:
                arrays.append(self.memory.allocate_fresh(weight.size))
                arrays[1][:] = np.nan  # equal to nothing
            entry = Prepared(arrays, weakref.ref(weight, lambda _: self._prepared.pop(key, None)))
        made, copy = address_of(entry.arrays[0]), address_of(entry.arrays[-1])
        function, block, parts = prepare(made, copy if len(entry.arrays) > 1 else 0)
        if self.tape is None:
            self._prepared[key] = entry
            self.run(function, block, parts)
            entry.settled = settled
        else:
            self.tape.keep(*entry.arrays)
            self.tape.prepares = weight if settled else None
            self.run(function, block, parts)
            self.tape.prepares = None
        return entry.arrays

    def code(self, function: Callable[..., Any]) -> int:
        """The address of where the address of a compiled kernel lies, for others that call it."""
        key = ("code", function)
        cell = self._constants.get(key)
        if cell is None:
            # In memory of the engine's: an address without any could not be told from one that is stale.
            cell = self.memory.allocate_fresh(1, np.int64)
            cell[0] = self.kernels.address(function)
            self._constants[key] = cell
        return address_of(cell)

    def number(self, value: Any, kind: Any = np.float64) -> NDArray[Any]:
        """An array that holds this number for a kernel: the value itself where it is such an array."""
        if isinstance(value, np.ndarray):
            return value if value.dtype == kind else self.host(np.asarray, value, kind)
        array = self.allocate(1, kind) if self.tape is None else self.memory.allocate_fresh(1, kind)
        array[0] = value
        if self.tape is not None:
            self.tape.keep(array)
        return array

    def constants(self) -> list[NDArray[Any]]:
        """What `lanes` and `block` have made."""
        return list(self._constants.values())

    def block(self, numbers: tuple[float, ...], channels: int) -> NDArray[Any]:
        """For each number a row of `channels` (padded) times it, zero beyond."""
        key = (numbers, channels)
        rows = self._constants.get(key)
        if rows is None:
            wide = padded(channels)
            rows = self._constants[key] = self.memory.allocate_fresh(len(numbers) * wide)
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
            vector = self.memory.allocate_fresh(padded(channels))
            vector[:] = 0
            vector[start:stop] = inside
            self._constants[key] = vector
        return address_of(vector)
