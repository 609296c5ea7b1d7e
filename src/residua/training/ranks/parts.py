"""Parts of a batch that are computed apart: what their engines and steps tell each other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Exchange(Protocol):
    """How parts are added up and told to each other."""

    def sum(self, place: int, array: Array) -> Array:
        """The sum of what all parts give."""
        ...

    def first(self, place: int, array: Array) -> Array:
        """What the first of all parts gives."""
        ...


class Part:
    """One part among `count`, in the place `number`; what `engines.vocabulary.together` asks for.

    place: which of this process's parts it is. stopping: whether this process has been asked to stop.
    """

    def __init__(
        self, exchange: Exchange, number: int, count: int, place: int, stopping: Callable[[], bool]
    ) -> None:
        self._exchange, self.number, self.count, self._place = exchange, number, count, place
        self._stopping = stopping
        self.start, self.own, self.total = 0, 0, 0
        self.stopped = False

    def begin(self, start: int, own: int, total: int) -> None:
        """A step begins on pictures `start` to `start + own` of a batch of `total`."""
        self.start, self.own, self.total = start, own, total

    def sum(self, array: Array) -> Array:
        """The sum over all parts."""
        return self._exchange.sum(self._place, np.asarray(array, np.float64))

    def first(self, array: Array) -> Array:
        """What the first part gives."""
        return self._exchange.first(self._place, np.array(array, order="C"))

    def agree(self, flag: bool) -> bool:
        """Whether all parts say yes."""
        return int(self.sum(np.array(float(not flag)))) == 0

    def pooled(self, count: int) -> int:
        """How many numbers the whole batch has where this part has `count`."""
        return count // self.own * self.total

    def places(self, count: int) -> slice:
        """Where this part's numbers lie among those of the whole batch."""
        each = count // self.own
        return slice(self.start * each, (self.start + self.own) * each)

    def combine(
        self, xp: Any, grads: dict[str, Array], loss: Array, correct: Array
    ) -> tuple[dict[str, Array], Array, Array]:
        """Gradients, loss and right answers of the whole batch, in two exchanges; and who wants to stop."""
        names = sorted(grads)
        flat = np.concatenate([np.asarray(grads[name]).reshape(-1) for name in names])
        flat = self._exchange.sum(self._place, flat)
        ends = np.cumsum([grads[name].size for name in names])
        pieces = np.split(flat, ends[:-1])
        whole = {name: piece.reshape(grads[name].shape) for name, piece in zip(names, pieces, strict=True)}
        numbers = self.sum(np.array([float(loss), float(correct), float(self._stopping())]))
        self.stopped = bool(numbers[2])
        return whole, numbers[0].astype(np.asarray(loss).dtype), numbers[1].astype(np.int64)


class Processes:
    """Each process has one part: sums are MPI's."""

    def __init__(self, world: Any) -> None:
        self._world = world

    def sum(self, place: int, array: Array) -> Array:
        """The sum over all processes."""
        total: Array = self._world.sum(array)
        return total

    def first(self, place: int, array: Array) -> Array:
        """The first process's."""
        shared: Array = self._world.share(array)
        return shared


class Shards:
    """Always as many parts, in threads of few processes or many, added up in one tree: the same bytes."""

    def __init__(self, world: Any, here: int) -> None:
        """here: how many parts this process has."""
        self._world, self._here = world, here
        self._barrier = threading.Barrier(here)
        self._given: list[Any] = [None] * here
        self._result: Any = None

    def sum(self, place: int, array: Array) -> Array:
        """The sum over all parts, pair by pair."""
        return self._meet(place, array, _tree)

    def first(self, place: int, array: Array) -> Array:
        """The first part's."""
        return self._meet(place, array, lambda every: np.array(every[0]))

    def abort(self) -> None:
        """Let nobody wait for a part that has failed."""
        self._barrier.abort()

    def _meet(self, place: int, array: Array, reduce: Callable[[Array], Array]) -> Array:
        self._given[place] = array
        if self._barrier.wait() == 0:
            try:
                own = np.stack(self._given)
                every = own if self._world is None else self._world.gather(own)
                self._result = reduce(every.reshape(-1, *array.shape))
            except BaseException:
                self._barrier.abort()
                raise
        self._barrier.wait()
        result: Array = self._result
        return result


def _tree(every: Array) -> Array:
    while len(every) > 1:
        every = every[0::2] + every[1::2]
    total: Array = every[0]
    return total
