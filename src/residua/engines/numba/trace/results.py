"""What a recorded step returns: trees of arrays, made anew, or filled again where nobody holds them any more.

A state has hundreds of arrays, and making them takes Python longer than some layers run. It comes back as
the next step's input, and is dropped then. So the tree of the step before last is kept together with its
memory, and becomes the next result if nobody else refers to it: not to the tree, to a branch or an array of
it, nor to its memory through an array made of one. Reference counts tell. What a step returned and somebody
keeps stays what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count
from operator import is_, itemgetter
from sys import getrefcount
from typing import Any

import numpy as np

from residua.engines.numba.runtime.buffers import address

LEAST_LEAVES = 16  # of a tree that is worth it


@dataclass(frozen=True)
class Slot:
    """A value that is another one at every call: the number of its place."""

    number: int


@dataclass(frozen=True)
class View:
    """A part of the array in a slot."""

    slot: int
    offset: int  # bytes
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: Any

    def of(self, array: Any) -> Any:
        """The part of this array."""
        return np.ndarray(self.shape, self.dtype, array, self.offset, self.strides)


def kind_of(array: Any) -> tuple[Any, ...]:
    """What a recording takes for granted of an array."""
    return array.shape, array.dtype, array.strides, array.flags.aligned


def _counted() -> int:
    """What the interpreter adds to the references that lists and dictionaries hold."""
    objects = [object()]
    return max(map(getrefcount, objects)) - 1


COUNTED = _counted()


class ReturnedTree:
    """A tree that was returned, and all that is asked about it when it comes back."""

    def __init__(self, tree: Any, leaves: list[Any], addresses: list[int], buffers: dict[int, Any]) -> None:
        self.leaves, self.addresses, self.buffers = leaves, addresses, buffers
        self.token: int | None = None  # what the step knows its structure by
        self._nodes: list[Any] = [tree]
        for node in self._nodes:  # which grows meanwhile
            self._nodes += [branch for branch in node.values() if isinstance(branch, dict)]
        self._children = list(chain.from_iterable(map(dict.values, self._nodes)))

    @property
    def tree(self) -> Any:
        """The tree itself."""
        return self._nodes[0]

    @property
    def intact(self) -> bool:
        """Whether every branch and leaf is still the one that was returned."""
        return sum(map(len, self._nodes)) == len(self._children) and all(
            map(is_, chain.from_iterable(map(dict.values, self._nodes)), self._children)
        )

    def alone(self, views: Callable[[list[Any]], tuple[Any, ...]], shares: Sequence[int]) -> bool:
        """Whether nobody else refers to it.

        `views` picks its arrays; `shares`: how many of them lie in each buffer.
        """
        # An array is held by its dictionary, the children, the leaves, and what `views` returns.
        if (
            max(map(getrefcount, views(self.leaves))) > COUNTED + 4
            or getrefcount(self._nodes[0]) > COUNTED + 1
        ):
            return False
        if len(self._nodes) > 1 and max(map(getrefcount, self._nodes[1:])) > COUNTED + 4:
            return False
        counts = map(getrefcount, self.buffers.values())
        return all(n <= COUNTED + 1 + share for n, share in zip(counts, shares, strict=True)) and self.intact

    def put(self, position: int, name: Any, value: Any) -> None:
        """Another value for a leaf that is no view."""
        old = self.leaves[position]
        if value is old:
            return
        if not isinstance(value, np.ndarray) or kind_of(value) != kind_of(old):
            self.token = None
        node = next(node for node in self._nodes if node.get(name) is old)
        place = next(place for place, child in enumerate(self._children) if child is old)
        node[name] = self._children[place] = self.leaves[position] = value
        self.addresses[position] = address(value)


class ResultElement:
    """One element of a step's result: how it is made of what a replay left in the slots."""

    def __init__(self, template: Any, slots: range, others: set[int]) -> None:
        """slots: those whose arrays the step is lent for its outputs; others: what lies elsewhere too."""
        self._leaves = list(_leaves(template))
        self._names = list(_names(template))
        self._build = _builder(template, count())
        self._views = [place for place, leaf in enumerate(self._leaves) if isinstance(leaf, View)]
        self._slots = [place for place, leaf in enumerate(self._leaves) if isinstance(leaf, Slot)]
        used = [self._leaves[place].slot for place in self._views]
        self.outputs = sorted(set(used))
        self._shares = [used.count(slot) for slot in self.outputs]
        self.circulates = (
            isinstance(template, dict)
            and len(self._views) >= LEAST_LEAVES
            and len(self._views) + len(self._slots) == len(self._leaves)
            and all(slot in slots and slot not in others for slot in self.outputs)
            and not _has_sequences(template)
        )
        self._pick: Any = itemgetter(*self._views) if self.circulates else None
        self._before: ReturnedTree | None = None
        self._latest: ReturnedTree | None = None

    def reusable(self) -> ReturnedTree | None:
        """The tree of the step before last, if nobody holds it any more."""
        tree = self._before
        return tree if tree is not None and tree.alone(self._pick, self._shares) else None

    def make(
        self, reusable: ReturnedTree | None, values: list[Any], at: list[int]
    ) -> tuple[Any, ReturnedTree | None]:
        """The element, and what is known of it if it can come back."""
        if reusable is not None:
            for place in self._slots:
                reusable.put(place, self._names[place], values[self._leaves[place].number])
            self._before, self._latest = self._latest, reusable
            return reusable.tree, reusable
        leaves = [self._value(leaf, values) for leaf in self._leaves]
        tree = self._build(leaves)
        if not self.circulates:
            return tree, None
        addresses = [
            at[leaf.number] if isinstance(leaf, Slot) else at[leaf.slot] + leaf.offset
            for leaf in self._leaves
        ]
        returned = ReturnedTree(tree, leaves, addresses, {slot: values[slot] for slot in self.outputs})
        self._before, self._latest = self._latest, returned
        return tree, returned

    @staticmethod
    def _value(leaf: Any, values: list[Any]) -> Any:
        if isinstance(leaf, View):
            return leaf.of(values[leaf.slot])
        return values[leaf.number] if isinstance(leaf, Slot) else leaf


def _leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, dict):
        for branch in tree.values():
            yield from _leaves(branch)
    elif type(tree) in (tuple, list):
        for branch in tree:
            yield from _leaves(branch)
    else:
        yield tree


def _names(tree: Any, name: Any = None) -> Iterator[Any]:
    """Of every leaf the name that its dictionary has for it."""
    if isinstance(tree, dict):
        for own, branch in tree.items():
            yield from _names(branch, own)
    elif type(tree) in (tuple, list):
        for branch in tree:
            yield from _names(branch)
    else:
        yield name


def _has_sequences(tree: Any) -> bool:
    if isinstance(tree, dict):
        return any(map(_has_sequences, tree.values()))
    return type(tree) in (tuple, list)


def _builder(tree: Any, numbers: Iterator[int]) -> Callable[[Sequence[Any]], Any]:
    """A function that makes the tree anew from the list of its leaves; `numbers` counts them."""
    if isinstance(tree, dict):
        named = [(name, _builder(branch, numbers)) for name, branch in tree.items()]
        return lambda leaves: {name: branch(leaves) for name, branch in named}
    if type(tree) in (tuple, list):
        whole, parts = type(tree), [_builder(branch, numbers) for branch in tree]
        return lambda leaves: whole([part(leaves) for part in parts])
    return itemgetter(next(numbers))
