"""A process of mpiexec, or one alone, that trains ResNet-20 on its part of every batch: its steps are timed.

    mpiexec -n 2 python -m residua.bench.rank_worker THREADS STEPS BATCH [exact]

The first process writes the milliseconds of every step but the first ones, in one line.
"""

from __future__ import annotations

import sys
import time

import numpy as np

from residua.bench import networks
from residua.config import RunOptions
from residua.engines import open_engine
from residua.training.optimizers import make_optimizer
from residua.training.ranks.crew import Crew
from residua.training.ranks.mpi import find_mpi
from residua.training.step import make_step, start_state

NETWORK, FIRST = networks.RESNET20, 6  # steps until kernels are there and the step is recorded


def time_steps(threads: int, steps: int, batch: int, *, exact: bool) -> list[float]:
    """Milliseconds of each step on the whole batch."""
    world = find_mpi()
    pictures, labels = networks.random_batch(NETWORK, batch)
    layers, options = NETWORK.build(), networks.OPTIONS
    more: tuple[int | None, ...] = ()
    if world is None and not exact:
        step = make_step(layers, open_engine("numba", threads=threads), options)
    else:
        crew = Crew(world, RunOptions(engine="numba", threads=threads, exact_ranks=exact), lambda: False)
        first, last, count = crew.parts
        own = slice(batch * first // count, batch * last // count)
        pictures, labels = pictures[own], labels[own]
        step = crew.step(lambda engine: make_step(layers, engine, options))
        more = None, batch  # no pictures made of two; how many the whole batch has
    state = start_state(layers.init(np.random.default_rng(0)), make_optimizer(options), options.average)
    taken = []
    for _ in range(FIRST + steps):
        began = time.perf_counter()
        state, results = networks.advance(step, state, pictures, labels, options.rate or 0.0, *more)
        float(results["loss"])
        taken.append(1000 * (time.perf_counter() - began))
    return taken[FIRST:] if world is None or world.first else []


if __name__ == "__main__":
    words = sys.argv[1:]
    took = time_steps(*map(int, words[:3]), exact="exact" in words[3:])
    if took:
        print(" ".join(f"{milliseconds:.3f}" for milliseconds in took), flush=True)
