"""A program: trains a small network for some steps on all devices that JAX has; prints what came of it."""

from __future__ import annotations

import json
import sys

import numpy as np

from residua.config import OptimizerOptions
from residua.engines.jax import JaxEngine
from residua.models.architectures.small_resnet import small_resnet
from residua.training.full_batches import Given, fill_up
from residua.training.optimizers import make_optimizer
from residua.training.step import make_step, start_state
from residua.variables import flatten


def main(steps: int) -> None:
    rng, engine, options = np.random.default_rng(0), JaxEngine(), OptimizerOptions(rate=0.02)
    network = small_resnet(depth=8, classes=3, width=4)
    state = start_state(network.init(rng), make_optimizer(options), 0.0)
    step, losses = make_step(network, engine, options), []
    line = {"scale": np.full(3, 0.02, np.float32), "shift": np.full(3, -2, np.float32)}
    pixels = rng.integers(0, 256, (40, 8, 8, 3), np.uint8)
    for _ in range(steps):
        places, down, right = rng.integers(0, 40, 14), rng.integers(-2, 3, 14), rng.integers(-2, 3, 14)
        images = engine.crop_and_flip(pixels, places, down, right, down > 0, (8, 8), **line)
        given = fill_up(engine, Given(images, rng.integers(0, 3, 14), None, None), 16, 16 / 14)
        state, results = step(state, given.images, given.labels, given.weights, 0.02)
        losses.append(float(results["loss"]))
    weights = {path: np.asarray(a).tolist() for path, a in flatten(state["variables"]).items()}
    print(json.dumps({"devices": len(engine.devices), "losses": losses, "weights": weights}))


if __name__ == "__main__":
    main(int(sys.argv[1]))
