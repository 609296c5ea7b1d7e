"""The parts of a batch that this process computes, and a step that is made of theirs."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BrokenBarrierError
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from residua.config import RunOptions
from residua.cores import available_cores
from residua.engines import Engine, open_engine
from residua.errors import ConfigError
from residua.training.ranks.mpi import MpiWorld
from residua.training.ranks.parts import Part, Processes, Shards
from residua.training.ranks.world import World
from residua.variables import Tree, transform

SHARDS = 8  # parts of a batch with --exact-ranks, for any number of processes

Step = Callable[..., tuple[Tree, dict[str, Any]]]


class Crew:
    """The engines of this process's parts, each of which knows the others.

    parts: first and one after the last of the parts that are computed here, and how many there are in all.
    """

    def __init__(self, world: MpiWorld | None, options: RunOptions, stopping: Callable[[], bool]) -> None:
        if options.engine not in ("numpy", "numba"):
            raise ConfigError(
                f"batches are divided under mpiexec and by --exact-ranks with --engine numba or numpy, not "
                f"{options.engine}."
            )
        size, rank = (1, 0) if world is None else (world.size, world.rank)
        self.world, self._shards = world, None
        if options.exact_ranks:
            if SHARDS % size:
                raise ConfigError(f"--exact-ranks takes 1, 2, 4 or 8 processes, not {size}.")
            here, count = SHARDS // size, SHARDS
            exchange: Any = Shards(world, here)
            self._shards = exchange
        else:
            here, count, exchange = 1, size, Processes(world)
        self.hosts, self.divides = 1, 1  # of an engine whose batches are filled up, which is not among these
        first = rank * here
        self.parts = (first, first + here, count)
        self._members = [Part(exchange, first + k, count, k, stopping) for k in range(here)]
        threads = options.threads or available_cores()
        self._engines: list[Engine] = []
        for member in self._members:
            engine = open_engine(options.engine, threads=max(1, threads // here))
            engine.join(member)
            self._engines.append(engine)
        self._pool = ThreadPoolExecutor(here) if here > 1 else None

    @property
    def stopped(self) -> bool:
        """Whether any process had been asked to stop when the latest step was computed."""
        return self._members[0].stopped

    def read(self, results: dict[str, Any]) -> dict[str, Any]:
        """What a step came to."""
        return results

    def plain(self, variables: Tree) -> Tree:
        """Variables as arrays that this process alone can compute with."""
        return variables

    def step(self, make: Callable[[Engine], Step]) -> Step:
        """One step of the whole batch, of which this process is given its pictures.

        make: a step with an engine.
        """
        steps = [make(engine) for engine in self._engines]
        blas = ThreadpoolController()

        def whole(
            state: Tree, images: Any, labels: Any, weights: Any, rate: Any, mixed: Any = None, total: int = 0
        ) -> tuple[Tree, dict[str, Any]]:
            first, last, count = self.parts
            start = total * first // count

            def one(k: int) -> tuple[Tree, dict[str, Any]]:
                begin, end = total * (first + k) // count, total * (first + k + 1) // count
                self._members[k].begin(begin, end - begin, total)
                here = slice(begin - start, end - start)
                scale = np.full(end - begin, (end - begin) / total, np.float32)
                own = scale if weights is None else weights[here] * scale
                both = None if mixed is None else tuple(part[here] for part in mixed)
                # Each may write to the state that it is given.
                given = state if k == 0 else transform(np.array, state)
                try:
                    return steps[k](given, images[here], labels[here], own, rate, both)
                except BaseException:
                    if self._shards is not None:
                        self._shards.abort()
                    raise

            if self._pool is None:
                return one(0)
            copies = range(last - first)
            with blas.limit(limits=1, user_api="blas"):
                waiting = [self._pool.submit(one, k) for k in copies]
                failed = [problem for future in waiting if (problem := future.exception()) is not None]
            if failed:  # of those that waited for it in vain nothing is said
                raise next((f for f in failed if not isinstance(f, BrokenBarrierError)), failed[0])
            return waiting[0].result()

        return whole


def threads_each(world: World, threads: int | None) -> int:
    """How many threads each process on this machine has: its cores, divided among those that are here."""
    own = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    host = world.hosts[world.rank]
    texts = world.gather_texts(" ".join([host, *map(str, own)]))
    beside = [set(text.split(" ")[1:]) for text in texts if text.split(" ")[0] == host]
    if threads is not None:
        return threads
    every = set().union(*beside)
    # mpiexec may have bound each process to cores of its own: those of all are what there is.
    cores = len(every) if len(every) > len(own) else available_cores()
    return max(1, cores // len(beside))
