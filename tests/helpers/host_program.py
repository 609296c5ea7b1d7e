"""A program: one of several hosts on JAX, which train a small network for some steps; prints what came of it.

python host_program.py HOST-ID HOSTS PORT STEPS [stuck]     stuck: host 1 stands still after three steps
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext

import numpy as np

from residua.config import OptimizerOptions, RunOptions
from residua.data.augmentation.pipeline import Augment
from residua.data.batches import Batches
from residua.data.pictures.arrays import Pictures
from residua.data.preprocessing import Preprocessing
from residua.engines.jax import JaxEngine
from residua.layers import Conv2d, ConvNorm, Dropout, GlobalAveragePool, Linear, Sequential
from residua.training.full_batches import Given, fill_up, full_size
from residua.training.optimizers import make_optimizer
from residua.training.ranks.opening import open_world
from residua.training.step import make_step, start_state
from residua.variables import flatten

OPTIONS = OptimizerOptions(rate=0.05)
NETWORK = Sequential(
    {
        "conv": ConvNorm(Conv2d(3, 4)),
        "pool": GlobalAveragePool(),
        "drop": Dropout(0.25),
        "head": Linear(4, 3),
    }
)


def batches_of(pictures=40, batch=16, engine=None):
    """Pictures in batches of which the last is a short one."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (pictures, 8, 8, 3), np.uint8)
    names = tuple(map(str, range(pictures)))
    kind = Preprocessing(8, 8, 3, (0.5,) * 3, (0.25,) * 3)
    split = Pictures(images, rng.integers(0, 3, pictures), names)
    return Batches(split, kind, Augment(crop=1, flip=True), batch, 0, engine=engine)


def train(steps, world=None, hosts=1, stuck=False):
    """Losses and weights after so many steps; world: the hosts, of which this is one."""
    engine = JaxEngine()
    batches = batches_of(engine=engine)
    if world is None:
        step, divides = make_step(NETWORK, engine, OPTIONS), 1
    else:
        from residua.training.ranks.host_crew import HostCrew

        crew = HostCrew(world, RunOptions(engine="jax", hosts=hosts), lambda: False)
        step, divides = crew.step(lambda wide: make_step(NETWORK, wide, OPTIONS)), crew.divides
    rows = full_size(batches, divides)
    if world is not None:
        batches = batches.rows(world.rank, hosts, rows)
    state = start_state(NETWORK.init(np.random.default_rng(0)), make_optimizer(OPTIONS), 0.0)
    losses, epoch = [], 0
    while len(losses) < steps:
        with batches.epoch(epoch) as under_way:
            for batch in under_way:
                given = Given(batch.images, batch.labels, None, None)
                given = fill_up(engine, given, rows // hosts, rows / batch.whole)
                state, results = step(state, given.images, given.labels, given.weights, 0.05)
                if world is not None:
                    results = crew.read(results)
                losses.append(float(results["loss"]))
                if stuck and len(losses) == 3:
                    world.stall_seconds = 2.0
                    time.sleep(120 * world.rank)
        epoch += 1
    variables = state["variables"] if world is None else crew.plain(state["variables"])
    return losses, {path: np.asarray(array).tolist() for path, array in flatten(variables).items()}


def main(rank, hosts, port, steps, stuck):
    """Train, and print from host 0."""
    options = RunOptions(
        engine="jax", hosts=hosts, host_id=rank, coordinator=f"localhost:{port}", host_wait=300
    )
    world = open_world(options)
    with nullcontext() if world is None else world.taking_part():
        losses, weights = train(steps, world, hosts, stuck)
        everyone = world.gather(np.array([[world.rank + 0.5]])).tolist()
        shared = [world.share(array + world.rank).tolist() for array in (np.arange(5), np.array(7))]
        said = world.gather_texts(f"ä{world.rank}")
        world.leave()
    if rank == 0:
        print(
            json.dumps(
                {"losses": losses, "weights": weights, "gather": everyone, "share": shared, "said": said}
            )
        )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:5]), "stuck" in sys.argv[5:])
