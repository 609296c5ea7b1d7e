"""The rows of every batch that this host gives, and a step that the devices of all hosts compute."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np

from residua.config import RunOptions
from residua.engines import Engine
from residua.engines.jax import JaxEngine
from residua.engines.jax.hosts import make_any
from residua.training.ranks.hosts import HostWorld
from residua.variables import Tree, transform

Step = Callable[..., tuple[Tree, dict[str, Any]]]


class HostCrew:
    """What `Crew` is under mpiexec, on JAX: one step for all, that XLA divides."""

    def __init__(self, world: HostWorld, options: RunOptions, stopping: Callable[[], bool]) -> None:
        self.world, self._stopping = world, stopping
        self._engine = JaxEngine(options.threads, options.precision, all_hosts=True)
        self.divides, self.hosts = self._engine.divides, world.size
        self._any, self._flags, self._stopped = make_any(), deque[Any](), False

    @property
    def stopped(self) -> bool:
        """Whether any host had been asked to stop, as of some steps ago: the same in all of them."""
        while len(self._flags) > self._engine.behind:
            with self.world.reaching():
                self._stopped |= bool(np.asarray(self._flags.popleft()))
        return self._stopped

    def step(self, make: Callable[[Engine], Step]) -> Step:
        """One step of the whole batch, of which this process gives its rows."""
        step, calls = make(self._engine), count()

        def whole(
            state: Tree, images: Any, labels: Any, weights: Any, rate: Any, mixed: Any = None, total: int = 0
        ) -> tuple[Tree, dict[str, Any]]:
            # The first call compiles it, in minutes perhaps, in which nobody is waited for.
            with self.world.reaching(counts=next(calls) > 0):
                result = step(state, images, labels, weights, rate, mixed)
                self._flags.append(self._any(self._stopping()))
            return result

        return whole

    def read(self, results: dict[str, Any]) -> dict[str, Any]:
        """What a step came to, once it has."""
        with self.world.reaching():
            return {name: np.asarray(value) for name, value in results.items()}

    def plain(self, variables: Tree) -> Tree:
        """Variables as arrays that this process alone can compute with."""
        with self.world.reaching():
            return transform(np.asarray, variables)
