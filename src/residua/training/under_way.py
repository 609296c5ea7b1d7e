"""Steps that an engine is still computing: their results are read some steps later, so that it never waits.

A step that is not finite changes nothing, nor do those after it: each is given whether the one before it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

import numpy as np

from residua.data.batches import Batch
from residua.variables import Tree

GOING = "going"  # in the state of a step: whether all before it were finite


class UnderWay:
    """The steps that have been begun and not been read, oldest first; `most` of them at a time."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._steps: deque[tuple[Batch, Tree]] = deque()

    def __len__(self) -> int:
        return len(self._steps)

    def given(self, state: Tree) -> Tree:
        """What the next step is given: the state and, where steps are read late, how it goes."""
        if not self.most:
            return state
        # An array of its own: a step takes back what it is given, and this is still to be read.
        return state | {GOING: self._steps[-1][1]["finite"] & True if self._steps else np.True_}

    def begun(self, batch: Batch, results: Tree) -> None:
        """A step has been begun."""
        self._steps.append((batch, results))

    def finished(self, everything: bool) -> Iterator[tuple[Batch, Tree]]:
        """Those that are to be read now: what is more than `most`, or all."""
        while len(self._steps) > (0 if everything else self.most):
            yield self._steps.popleft()

    def forget(self) -> None:
        """What has been begun changed nothing."""
        self._steps.clear()


def without_going(state: Tree) -> Tree:
    """What a step gave back, as it is kept."""
    return {name: part for name, part in state.items() if name != GOING} if GOING in state else state
