"""A compiled step: run as it stands at first, then recorded, then replayed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from residua.engines.numba.runtime.buffers import address, nobody_writes
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.trees import leaves, map_leaves
from residua.engines.numba.trace.recording import LEAVES, BranchNotTaken, Recording, Unrecordable
from residua.engines.numba.trace.results import LEAST_LEAVES, ReturnedTree, kind_of
from residua.engines.numba.trace.tape import Tape

RECORD_AT = 3  # the call at which a step is recorded
TRIALS = 2
MOST_RECORDINGS = 4  # shapes of one step
# Preparing a step's kernels takes Python some milliseconds, and a recording three more runs of the step: a
# longer step is recorded once as much time has gone, and of a very long one it is not worth the memory.
SAVED_SECONDS, MORE_RUNS = 0.01, 3
WITH_OPTIONS = -1  # in front of what a call is known by: options are a dictionary like any other argument
SHORT_SECONDS, LONG_SECONDS = 0.2, 5.0


class CompiledStep:
    """A step on a context; the values that it returns are returned plain."""

    def __init__(self, context: Context, step: Callable[..., Any], plain: Callable[[Any], Any]) -> None:
        self._context, self._step, self._plain = context, step, plain
        self._forget()

    def _forget(self) -> None:
        self._forks = self._context.forks
        self._calls: dict[Any, int] = {}
        self._trials: dict[Any, int] = {}
        self._recordings: dict[Any, Recording] = {}
        self._tokens: dict[Any, int] = {}
        self._returned: dict[int, ReturnedTree] = {}  # of the latest result
        self._given: dict[int, ReturnedTree] = {}  # of the latest call, frozen ones
        self._seconds: dict[Any, float] = {}  # of the latest run

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """What the step returns."""
        context = self._context
        with context.thread_pool:
            if self._forks != context.forks:
                self._forget()
            if context.tape is not None:  # a step within a step is part of it
                return self._run(arguments, options)
            key, inputs, addresses = self._gather(arguments, options)
            recording = self._recordings.get(key)
            if recording is not None:
                try:
                    result, self._returned = recording.replay(context, inputs, addresses)
                except BranchNotTaken:
                    return self._run(arguments, options)
                return result
            calls = self._calls[key] = self._calls.get(key, 0) + 1
            if calls >= RECORD_AT and self._worth_it(key, calls):
                return self._record(key, arguments, options)
            began = time.perf_counter()
            result = self._run(arguments, options)
            self._seconds[key] = time.perf_counter() - began
            return result

    def _gather(self, arguments: Any, options: Any) -> tuple[Any, list[Any], list[int]]:
        """What the call is known by; its arrays, and where they lie."""
        key: list[int] = [WITH_OPTIONS] if options else []
        inputs: list[Any] = []
        addresses: list[int] = []
        given: dict[int, ReturnedTree] = {}
        for argument in (*arguments, options) if options else arguments:
            returned = self._returned.get(id(argument)) or self._given.get(id(argument))
            if returned is not None and not returned.intact:
                returned = None
            if returned is None or returned.token is None:
                varying: list[Any] = []
                structure = _structure(argument, varying)
                token = self._tokens.setdefault((structure, tuple(map(_kind, varying))), len(self._tokens))
                if returned is not None:
                    returned.token = token
                arrays = list(map(_as_array, varying))
                places = list(map(address, arrays))
                inputs += arrays
                addresses += places
                if _frozen(argument):
                    returned = given[id(argument)] = ReturnedTree(argument, arrays, places, {})
                    returned.token = token
            else:
                token = returned.token
                if id(argument) in self._given:
                    given[id(argument)] = returned
                inputs += returned.leaves
                addresses += returned.addresses
            key.append(token)
        self._given = given
        if self._context.together is not None:  # numbers that follow from it are written into a recording
            key.append(-1 - self._context.together.total)
        return tuple(key), inputs, addresses

    def _run(self, arguments: Any, options: Any) -> Any:
        return map_leaves(self._step(*arguments, **options), self._plain)

    def _worth_it(self, key: Any, calls: int) -> bool:
        if self._trials.get(key, 0) >= TRIALS or len(self._recordings) >= MOST_RECORDINGS:
            return False
        seconds = self._seconds.get(key, 0.0)
        pays = seconds < SHORT_SECONDS or calls * SAVED_SECONDS > MORE_RUNS * seconds
        return self._agreed(pays and seconds < LONG_SECONDS)

    def _agreed(self, flag: bool) -> bool:
        """Whether those who have the other parts of a batch see it so too: all run a step as often."""
        return flag if self._context.together is None else self._context.together.agree(flag)

    def _record(self, key: Any, arguments: Any, options: Any) -> Any:
        """Run the step on these arguments and record it; keep the recording if it proves right."""
        context = self._context
        self._trials[key] = self._trials.get(key, 0) + 1
        other = map_leaves((arguments, options), _other)
        expected = [np.array(leaf) for leaf in leaves(self._run(*other)) if isinstance(leaf, LEAVES)]
        # A number becomes an array: its value can then change from call to call.
        symbolic = map_leaves((arguments, options), lambda leaf: _as_array(leaf) if _varies(leaf) else leaf)
        inputs = [leaf for leaf in leaves(symbolic) if isinstance(leaf, np.ndarray)]
        try:
            tape = Tape(inputs)
            with context.recording(tape):
                result = self._run(*symbolic)
                recording = tape.finish(context, result)
            given = [_as_array(leaf) for leaf in leaves(other) if _varies(leaf)]
            # Twice: what it keeps from one replay to the next must be right, too.
            right = all(self._gives(recording, given, expected) for _ in range(2))
        except (Unrecordable, BranchNotTaken):
            return self._run(arguments, options)
        if self._agreed(right):
            self._recordings[key] = recording
        return result

    def _gives(self, recording: Recording, inputs: list[Any], expected: list[Any]) -> bool:
        replayed, _ = recording.replay(self._context, inputs, list(map(address, inputs)))
        results = [leaf for leaf in leaves(replayed) if isinstance(leaf, LEAVES)]
        return len(results) == len(expected) and all(map(_same, results, expected))


def _frozen(tree: Any) -> bool:
    """Whether a tree of dictionaries and arrays is one that stays: nobody can write to some of its arrays.

    Others would be held for longer than their owner does, and their memory not used again.
    """
    if type(tree) is not dict:
        return False
    every = list(_leaves(tree))
    arrays = all(type(leaf) is np.ndarray for leaf in every)
    return len(every) >= LEAST_LEAVES and arrays and any(map(nobody_writes, every))


def _leaves(tree: Any) -> Iterator[Any]:
    if type(tree) is dict:
        for branch in tree.values():
            yield from _leaves(branch)
    else:
        yield tree


def _varies(leaf: Any) -> bool:
    return isinstance(leaf, LEAVES) or type(leaf) is float


def _kind(leaf: Any) -> Any:
    """What a recording takes for granted of an input."""
    return kind_of(leaf) if isinstance(leaf, np.ndarray) else type(leaf)


def _as_array(leaf: Any) -> Any:
    return leaf if isinstance(leaf, np.ndarray) else np.array(leaf)


def _structure(tree: Any, inputs: list[Any]) -> Any:
    """The tree's shape and constants; what varies is added to `inputs`."""
    kind = type(tree)
    if kind is dict or isinstance(tree, dict):
        return tuple([(name, _structure(branch, inputs)) for name, branch in tree.items()])
    if kind is tuple or kind is list:
        return (kind, *[_structure(branch, inputs) for branch in tree])
    if _varies(tree):
        inputs.append(tree)
        return None
    return "constant", tree


def _other(leaf: Any) -> Any:
    """Another value of the same kind, near enough for the step to go the same way."""
    if type(leaf) is float:
        return 1.01 * leaf + 1e-4
    if not isinstance(leaf, LEAVES):
        return leaf
    array = np.array(leaf)
    if array.dtype.kind == "f":
        # In place, and in short numbers: all weights of a network and a batch of pictures come by.
        noise = np.random.default_rng(array.size).random(array.shape, np.float32)
        noise *= 1e-3
        size = np.abs(array)
        size += 1e-2
        size *= noise
        size += array
        return size
    if array.dtype.kind in "iu":
        return np.roll(array, 1) if array.size > 1 else array + array.dtype.type(1)
    return leaf


def _same(a: Any, b: Any) -> bool:
    a = np.asarray(a)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
