"""A step played back: what its kernels are, in which order, on which memory.

Preparing a kernel's arguments takes Python longer than a small kernel runs. A recording (`tape` makes it)
holds the blocks of arguments of all kernels of a step, so that playing it back is one call into compiled
code for each run of kernels between two calls of the reference.

The step's own buffers keep their addresses: they belong to the recording. What changes from call to call are
its inputs, what the reference returned, and its outputs. Their addresses stand in the blocks as well, and
are found there by their value: an address lies far above any count and far below any double's bits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from residua.engines.numba.runtime.memory import address
from residua.engines.numba.trace.results import Made, Part, Slot, View

if TYPE_CHECKING:
    from residua.engines.numba.runtime.context import Machine

AS_IT_WAS = -1
LEAVES = (np.ndarray, np.generic)
LEAST_ADDRESS, MOST_ADDRESS = 1 << 32, 1 << 48


class Unrecordable(Exception):
    """The step does something that cannot be played back."""


class NotTaken(Exception):
    """Played back, the step would take another branch than it did when it was recorded."""


def mapped(tree: Any, leaf: Callable[[Any], Any]) -> Any:
    """The tree of dictionaries, tuples and lists with leaf(x) for everything else."""
    if isinstance(tree, dict):
        return {name: mapped(branch, leaf) for name, branch in tree.items()}
    if type(tree) in (tuple, list):
        return type(tree)(mapped(branch, leaf) for branch in tree)
    return leaf(tree)


def leaves(tree: Any) -> Iterator[Any]:
    """Its leaves, in order."""
    if isinstance(tree, dict):
        for branch in tree.values():
            yield from leaves(branch)
    elif type(tree) in (tuple, list):
        for branch in tree:
            yield from leaves(branch)
    else:
        yield tree


class Kernels:
    """Some kernels, one after the other."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, ...]] = []  # function, four literals, parts
        self.blocks: list[Any] = []
        self.scratch = 0

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
        places, slots, offsets = [], [], []
        for slot, start, size in spans:
            inside = np.flatnonzero((self.numbers >= start) & (self.numbers < start + size))
            places.append(inside)
            slots.append(np.full(len(inside), slot))
            offsets.append(self.numbers[inside] - start)
        strange = (self.numbers > LEAST_ADDRESS) & (self.numbers < MOST_ADDRESS)
        for start, size in [(start, size) for _, start, size in spans] + known:
            strange &= (self.numbers < start) | (self.numbers >= start + size)
        if strange.any():
            raise Unrecordable("a kernel reads memory that is not the engine's")
        self.places, self.slots, self.offsets = (
            np.concatenate([np.zeros(0, np.int64), *found]) for found in (places, slots, offsets)
        )

    def play(self, machine: Machine, addresses: Any) -> None:
        """Put this call's addresses in, and run."""
        if len(self.places):
            self.numbers[self.places] = addresses[self.slots] + self.offsets
        machine.team.reserve(self.scratch)
        machine.team.play(self.table)


class Call:
    """A call of the reference, or anything else that happens on arrays of the host."""

    def __init__(self, function: Callable[..., Any], arguments: Any, results: list[int]) -> None:
        self.function, self.arguments, self.results = function, arguments, results


class Condition:
    """The step went this way because a flag held."""

    def __init__(self, flag: Any) -> None:
        self.flag = flag


class Recording:
    """A step that can be played back. It owns the memory that the step worked in."""

    def __init__(
        self, entries: list[Any], slots: int, template: Any, outputs: list[tuple[int, Any]], memory: list[Any]
    ) -> None:
        self._entries, self._slots = entries, slots
        self._outputs, self._memory = outputs, memory
        self._addresses = np.zeros(slots + len(outputs), np.int64)
        self._several = type(template) is tuple
        elements = template if self._several else (template,)
        used = [{leaf.slot for leaf in leaves(element) if isinstance(leaf, View)} for element in elements]
        lent = range(slots, slots + len(outputs))
        self._parts = [
            Part(element, lent, set().union(*(u for other, u in enumerate(used) if other != number)))
            for number, element in enumerate(elements)
        ]

    def play(self, machine: Machine, inputs: list[Any], addresses: list[int]) -> tuple[Any, dict[int, Made]]:
        """The step's result for these inputs, which lie there; and its trees that may come back, by identity.

        Raises NotTaken where the step would not have gone the recorded way; nothing has changed then.
        """
        rest = len(self._addresses) - len(inputs)
        values, at = inputs + [None] * rest, addresses + [0] * rest
        spares = [part.spare() for part in self._parts]
        for part, spare in zip(self._parts, spares, strict=True):
            if spare is not None:
                for slot in part.outputs:
                    values[slot] = spare.buffers[slot]
        for number, (size, kind) in enumerate(self._outputs, start=self._slots):
            if values[number] is None:
                values[number] = machine.take(size, kind)
            at[number] = address(values[number])
        self._addresses[:] = at

        def filled(leaf: Any) -> Any:
            if isinstance(leaf, Slot):
                return values[leaf.number]
            return leaf.of(values[leaf.slot]) if isinstance(leaf, View) else leaf

        for entry in self._entries:
            if isinstance(entry, Kernels):
                entry.play(machine, self._addresses)
            elif isinstance(entry, Condition):
                if not filled(entry.flag):
                    raise NotTaken
            else:
                arguments, options = mapped(entry.arguments, filled)
                result = entry.function(*arguments, **options)
                arrays = [leaf for leaf in leaves(result) if isinstance(leaf, LEAVES)]
                for number, leaf in zip(entry.results, arrays, strict=True):
                    if number == AS_IT_WAS:
                        continue
                    values[number] = array = np.asarray(leaf)
                    self._addresses[number] = at[number] = address(array)
        made = [part.make(spare, values, at) for part, spare in zip(self._parts, spares, strict=True)]
        known = {id(tree): found for tree, found in made if found is not None}
        return tuple(tree for tree, _ in made) if self._several else made[0][0], known
