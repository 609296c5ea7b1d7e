"""A step written down while it runs, to be replayed later (`recording`).

While a tape runs, the context tells it of everything that happens: memory lent, kernels run, calls of the
reference. What a recording cannot hold (a value of a type that it does not know, memory that is not the
engine's) raises Unrecordable. Arithmetic outside of the engine cannot be seen here; it is found out by
`compiled_step.CompiledStep`, which replays every recording twice on other inputs before it is trusted.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from residua.engines.numba.runtime.buffers import Lease, Loan, address, lease_of
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.trees import leaves, map_leaves
from residua.engines.numba.trace.recording import (
    UNCHANGED,
    Condition,
    HostCall,
    KernelSequence,
    Preparation,
    Recording,
    Unrecordable,
)
from residua.engines.numba.trace.results import Slot, View


class Tape:
    """A recording while it is made; `finish` gives the Recording."""

    def __init__(self, inputs: Sequence[Any]) -> None:
        self.known: list[Any] = list(inputs)  # what was in each slot
        self._numbers = {id(value): number for number, value in enumerate(self.known)}
        self._spans = [_span(number, value) for number, value in enumerate(self.known)]
        self.entries: list[Any] = []
        self._leases: dict[int, weakref.ref[Lease]] = {}
        self._blocks: dict[int, tuple[list[Any], Any]] = {}  # each with the pile that it came from
        self._kept: list[Any] = []
        self._inputs = len(self.known)
        self.preparation = KernelSequence()
        self.prepared: list[int] = []  # the inputs that it reads
        self.prepares: Any = None

    # ------------------------------------------------------------------ what the context tells
    def lent(self, lease: Lease) -> None:
        """The pool has lent memory."""
        self._leases[id(lease)] = weakref.ref(lease)
        self._blocks[id(lease.memory)] = lease.pile, lease.memory

    def kernel(self, function: int, literals: Sequence[int], block: Any, parts: int, scratch: int) -> None:
        """A kernel ran."""
        slot = self._numbers.get(id(self.prepares), self._inputs)
        if slot < self._inputs:
            self.prepared.append(slot)
            run = self.preparation
        else:
            if not self.entries or not isinstance(self.entries[-1], KernelSequence):
                self.entries.append(KernelSequence())
            run = self.entries[-1]
        run.calls.append((function, *literals, parts))
        run.blocks.append(np.array(block, np.int64))
        run.scratch = max(run.scratch, scratch)

    def called(self, function: Callable[..., Any], arguments: Any, result: Any) -> Any:
        """Something happened on the host; the result."""
        given = map_leaves(arguments, self._described)
        own = {id(leaf) for leaf in leaves(arguments)}
        numbers: list[int] = []

        def keep(leaf: Any) -> None:
            if isinstance(leaf, np.ndarray):
                # An argument that is handed back, or a view of memory that is known, stays what it was.
                known = id(leaf) in own or self._known(leaf)
                numbers.append(UNCHANGED if known else self._number(leaf))
            elif not isinstance(leaf, int | float | str | type(None) | np.dtype):
                raise Unrecordable(f"{function} gave a {type(leaf).__name__}")

        for leaf in leaves(result):
            keep(leaf)
        self.entries.append(HostCall(function, given, numbers))
        return result

    def keep(self, *arrays: Any) -> None:
        """These keep what they hold from one replay to the next."""
        self._kept += arrays

    def condition(self, flag: Any) -> None:
        """The step goes on because this flag holds."""
        self.entries.append(Condition(self._described(flag)))

    def _known(self, array: Any) -> bool:
        """Whether it lies in memory that was lent to the step, or in a slot."""
        if lease_of(array) is not None:
            return True
        start = address(array)
        return any(begin <= start < begin + size for _, begin, size in self._spans)

    def _number(self, array: Any) -> int:
        number = self._numbers.setdefault(id(array), len(self.known))
        if number == len(self.known):
            self.known.append(array)
            self._spans.append(_span(number, array))
        return number

    def _described(self, leaf: Any) -> Any:
        """What stands for this argument in the recording."""
        if not isinstance(leaf, np.ndarray):
            return leaf
        if id(leaf) in self._numbers:
            return Slot(self._numbers[id(leaf)])
        return leaf

    # ------------------------------------------------------------------ the end
    def finish(self, context: Context, result: Any) -> Recording:
        """The recording of a step that gave this result."""
        outputs: list[Lease] = []
        count = len(self.known)
        for leaf in leaves(result):
            lease = lease_of(leaf)
            if lease is None or id(leaf) in self._numbers or lease in _ByIdentity(outputs):
                continue
            if id(lease) in self._leases and self._leases[id(lease)]() is lease:
                outputs.append(lease)
        spans = list(self._spans)
        for number, lease in enumerate(outputs, start=count):
            spans.append((number, lease.memory.address, lease.nbytes))
        arrays = dict(enumerate(self.known))

        def final(leaf: Any) -> Any:
            """A slot or a view of one where the leaf lies in a span; itself otherwise."""
            if isinstance(leaf, np.generic):
                raise Unrecordable("a number was computed outside of the engine")
            if not isinstance(leaf, np.ndarray):
                return leaf
            if id(leaf) in self._numbers:
                return Slot(self._numbers[id(leaf)])
            start = address(leaf)
            for slot, begin, size in spans:
                if begin <= start < begin + size:
                    whole = arrays.get(slot)
                    if whole is not None and not whole.flags.c_contiguous:
                        raise Unrecordable("a part of an array that is not contiguous")
                    return View(slot, start - begin, leaf.shape, leaf.strides, leaf.dtype)
            return leaf

        memory = self._owned(context, outputs)
        known = [(block.address, block.size) for _, block in self._blocks.values()]
        known += [(address(array), array.nbytes) for array in context.constants()]
        for entry in self.entries:
            if isinstance(entry, KernelSequence):
                entry.finish(spans, known)
            elif isinstance(entry, HostCall):
                entry.arguments = map_leaves(entry.arguments, final)
            else:
                entry.flag = final(entry.flag)
        kinds = [(lease.size, lease.dtype) for lease in outputs]
        preparation = None
        if self.prepared:
            self.preparation.finish(spans, known)
            preparation = Preparation(self.preparation, self.prepared)
        memory += self._kept
        return Recording(self.entries, count, map_leaves(result, final), kinds, memory, preparation)

    def _owned(self, context: Context, outputs: list[Lease]) -> list[Any]:
        """The step's memory, for as long as there is the recording."""
        for lease in outputs:
            self._blocks.pop(id(lease.memory), None)
        alive = {}
        for reference in self._leases.values():
            owner = reference()
            if owner is not None and id(owner.memory) in self._blocks:
                alive[id(owner.memory)] = owner
        idle = context.memory.take_out(set(self._blocks))
        loan = Loan([self._blocks[name] for name in idle])
        if set(self._blocks) - idle - set(alive):
            raise Unrecordable("another thread was lent memory that the step had used")
        # An array may outlive the recording: its memory goes back to no pile.
        for lease in alive.values():
            lease.pile = []
        return [loan, *(self._blocks[name][1] for name in alive)]


class _ByIdentity:
    """`in` by identity: arrays compare number by number."""

    def __init__(self, items: list[Any]) -> None:
        self.items = items

    def __contains__(self, item: Any) -> bool:
        return any(item is other for other in self.items)


def _span(number: int, array: Any) -> tuple[int, int, int]:
    if not isinstance(array, np.ndarray):
        return number, 0, 0
    low, high = np.lib.array_utils.byte_bounds(array)
    return number, low, high - low
