"""The losses of some steps of training, for holding one engine's to another's."""

from __future__ import annotations

import numpy as np

from residua.config import OptimizerOptions
from residua.engines.numpy.engine import NumpyEngine
from residua.training.optimizers import make_optimizer
from residua.training.step import make_step, start_state
from residua.variables import transform


def doubled(tree):
    """The tree with its numbers in float64."""
    return transform(lambda a: a.astype(np.float64) if a.dtype.kind == "f" else a, tree)


def losses_of_steps(engine, network, pictures, labels, steps, dtype=np.float32, rate=0.02, batch=32):
    """The loss of each step of SGD with momentum, on batches drawn in the same order for every engine."""
    options = OptimizerOptions(momentum=0.9, decay=1e-4)
    variables = network.init(np.random.default_rng(0))
    if dtype == np.float64:
        variables = doubled(variables)
    state = start_state(variables, make_optimizer(options), 0.0)
    step, losses, order = make_step(network, engine, options), [], np.random.default_rng(1)
    for _ in range(steps):
        chosen = order.choice(len(labels), batch, replace=False)
        state, results = step(state, pictures[chosen].astype(dtype), labels[chosen], None, rate)
        losses.append(float(engine.plain(results["loss"])))
    return np.array(losses)


def fifty_steps_follow(engine, network, pictures, labels):
    """Hold fifty steps on real pictures to the reference in float64, as its own float32 is held."""
    reference, given = NumpyEngine(), (network, pictures, labels, 50)
    exact = losses_of_steps(reference, *given, dtype=np.float64)
    mine = losses_of_steps(engine, *given)
    assert np.abs(mine[:5] - exact[:5]).max() < 1e-5
    # Training multiplies every difference: after ten steps the reference itself is 1e-3 off in float32.
    single = losses_of_steps(reference, *given)
    assert np.abs(mine - exact).max() < 5 * np.abs(single - exact).max() + 1e-3
    assert exact[-5:].mean() < 0.7 * exact[:5].mean()
