"""A step replayed: what its kernels are, in which order, on which memory.

Preparing a kernel's arguments takes Python longer than a small kernel runs. A recording (`tape` makes it)
holds the blocks of arguments of all kernels of a step, so that replaying it is one call into compiled
code for each run of kernels between two calls of the reference.

The step's own buffers keep their addresses: they belong to the recording. What changes from call to call are
its inputs, what the reference returned, and its outputs. Their addresses stand in the blocks as well, and
are found there by their value: an address lies far above any count and far below any double's bits.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from residua.engines.numba.runtime.buffers import address, nobody_writes
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.trees import leaves, map_leaves
from residua.engines.numba.trace.results import ResultElement, ReturnedTree, Slot, View

UNCHANGED = -1
LEAVES = (np.ndarray, np.generic)
LEAST_ADDRESS, MOST_ADDRESS = 1 << 32, 1 << 48


class Unrecordable(Exception):
    """The step does something that cannot be replayed."""


class BranchNotTaken(Exception):
    """Replayed, the step would take another branch than it did when it was recorded."""


class KernelSequence:
    """Some kernels, one after the other."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, ...]] = []  # function, four literals, parts
        self.blocks: list[Any] = []
        self.scratch = 0
        self._addresses = b""  # that stand in the blocks

    def finish(self, spans: list[tuple[int, int, int]], known: list[tuple[int, int]]) -> None:
        """Lay the blocks out in one array, and find the addresses that lie in a slot's span.

        Raises Unrecordable for an address that lies nowhere: it would not live as long as the recording.
        """
        starts = np.cumsum([0, *map(len, self.blocks)])
        self.numbers = np.concatenate(self.blocks)
        base = address(self.numbers)
        self.table = np.array(
            [(*call[:5], base + 8 * start, call[5]) for call, start in zip(self.calls, starts, strict=False)],
            np.int64,
        )
        positions, slots, offsets = [], [], []
        for slot, start, size in spans:
            inside = np.flatnonzero((self.numbers >= start) & (self.numbers < start + size))
            positions.append(inside)
            slots.append(np.full(len(inside), slot))
            offsets.append(self.numbers[inside] - start)
        strange = (self.numbers > LEAST_ADDRESS) & (self.numbers < MOST_ADDRESS)
        for start, size in [(start, size) for _, start, size in spans] + known:
            strange &= (self.numbers < start) | (self.numbers >= start + size)
        if strange.any():
            raise Unrecordable("a kernel reads memory that is not the engine's")
        self.positions, self.slots, self.offsets = (
            np.concatenate([np.zeros(0, np.int64), *arrays]) for arrays in (positions, slots, offsets)
        )

    def replay(self, context: Context, addresses: Any) -> None:
        """Put this call's addresses in, where they are not those of the call before, and run."""
        if self._addresses != (given := addresses.tobytes()):
            self.numbers[self.positions] = addresses[self.slots] + self.offsets
            self._addresses = given
        context.thread_pool.reserve(self.scratch)
        context.thread_pool.run_many(self.table)


class Preparation:
    """Kernels that make of weights what a step keeps, before anything else, where that is not as it was."""

    def __init__(self, kernels: KernelSequence, slots: list[int]) -> None:
        self._kernels, self._slots = kernels, slots
        self._weights: list[Any] = []

    def replay(self, context: Context, values: list[Any], addresses: Any) -> None:
        """Run them, unless they ran for these arrays and nobody can have written to one."""
        weights = [values[slot] for slot in self._slots]
        settled = all(map(nobody_writes, weights))
        if settled and self._weights and all(map(_refers, self._weights, weights)):
            return
        self._weights = []
        self._kernels.replay(context, addresses)
        if settled:
            self._weights = list(map(weakref.ref, weights))


def _refers(reference: Any, array: Any) -> bool:
    return reference() is array


class HostCall:
    """A call of the reference, or anything else that happens on arrays of the host."""

    def __init__(self, function: Callable[..., Any], arguments: Any, results: list[int]) -> None:
        self.function, self.arguments, self.results = function, arguments, results


class Condition:
    """The step went this way because a flag held."""

    def __init__(self, flag: Any) -> None:
        self.flag = flag


class Recording:
    """A step that can be replayed. It owns the memory that the step worked in."""

    def __init__(
        self,
        entries: list[Any],
        slots: int,
        template: Any,
        outputs: list[tuple[int, Any]],
        memory: list[Any],
        preparation: Preparation | None = None,
    ) -> None:
        self._preparation = preparation
        self._entries, self._slots = entries, slots
        self._outputs, self._memory = outputs, memory
        self._addresses = np.zeros(slots + len(outputs), np.int64)
        self._several = type(template) is tuple
        elements = template if self._several else (template,)
        used = [{leaf.slot for leaf in leaves(element) if isinstance(leaf, View)} for element in elements]
        lent = range(slots, slots + len(outputs))
        self._elements = [
            ResultElement(element, lent, set().union(*(u for other, u in enumerate(used) if other != number)))
            for number, element in enumerate(elements)
        ]

    def replay(
        self, context: Context, inputs: list[Any], addresses: list[int]
    ) -> tuple[Any, dict[int, ReturnedTree]]:
        """The step's result for these inputs, which lie there; and its trees that may come back, by identity.

        Raises BranchNotTaken where the step would not have gone the recorded way; nothing has changed then.
        """
        rest = len(self._addresses) - len(inputs)
        values, at = inputs + [None] * rest, addresses + [0] * rest
        reusable = [element.reusable() for element in self._elements]
        for element, tree in zip(self._elements, reusable, strict=True):
            if tree is not None:
                for slot in element.outputs:
                    values[slot] = tree.buffers[slot]
        for number, (size, kind) in enumerate(self._outputs, start=self._slots):
            if values[number] is None:
                values[number] = context.allocate(size, kind)
            at[number] = address(values[number])
        self._addresses[:] = at

        def filled(leaf: Any) -> Any:
            if isinstance(leaf, Slot):
                return values[leaf.number]
            return leaf.of(values[leaf.slot]) if isinstance(leaf, View) else leaf

        if self._preparation is not None:
            self._preparation.replay(context, inputs, self._addresses)
        for entry in self._entries:
            if isinstance(entry, KernelSequence):
                entry.replay(context, self._addresses)
            elif isinstance(entry, Condition):
                if not filled(entry.flag):
                    raise BranchNotTaken
            else:
                arguments, options = map_leaves(entry.arguments, filled)
                result = entry.function(*arguments, **options)
                arrays = [leaf for leaf in leaves(result) if isinstance(leaf, LEAVES)]
                for number, leaf in zip(entry.results, arrays, strict=True):
                    if number == UNCHANGED:
                        continue
                    values[number] = array = np.asarray(leaf)
                    self._addresses[number] = at[number] = address(array)
        results = [
            element.make(tree, values, at) for element, tree in zip(self._elements, reusable, strict=True)
        ]
        known = {id(tree): returned for tree, returned in results if returned is not None}
        return tuple(tree for tree, _ in results) if self._several else results[0][0], known
