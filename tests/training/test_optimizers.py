"""What all optimisers share: slots by name, steps counted, decay where it is wanted."""

from __future__ import annotations

import numpy as np
import pytest

from residua.config import OptimizerOptions
from residua.config.defaults import DECAY
from residua.engines.numpy.engine import NumpyEngine
from residua.training.optimizers import make_optimizer

SLOTS = {
    "sgd": {"velocity"},
    "adam": {"first", "second"},
    "adamw": {"first", "second"},
    "rmsprop": {"square", "velocity"},
    "muon": {"velocity"},
}


@pytest.mark.parametrize("name", SLOTS)
def test_a_step_fills_its_slots_and_counts(name):
    optimizer = make_optimizer(OptimizerOptions(optimizer=name))
    assert optimizer.decay == DECAY
    v = {"layer": {"weight": np.ones((2, 2), np.float32), "running_mean": np.ones(2, np.float32)}}
    slots = optimizer.init(v)
    assert set(slots) == SLOTS[name] | {"count"}
    grads = {"layer": {"weight": np.full((2, 2), 0.5, np.float32)}}
    after, new = optimizer.update(NumpyEngine(), v, slots, grads, 0.1)
    assert new["count"] == 1
    assert all(
        np.abs(new[slot]["layer"]["weight"]).min() > 0 for slot in ("velocity", "first") if slot in new
    )
    assert (after["layer"]["weight"] < 1).all()
    assert after["layer"]["running_mean"] is v["layer"]["running_mean"]


def test_biases_of_normalisations_learn_at_their_own_rate_and_decay_as_the_others(engine):
    options = {"momentum": 0.5, "nesterov": True, "decay": 0.01}
    quick = make_optimizer(OptimizerOptions(**options, bias_rate=64.0))
    norm = {"bias": np.full(3, 2.0, np.float32), "running_mean": np.zeros(3, np.float32)}
    v = {"norm": norm, "conv": {"bias": np.full(3, 2.0, np.float32)}}
    grads = {"norm": {"bias": np.full(3, 0.25, np.float32)}, "conv": {"bias": np.full(3, 0.25, np.float32)}}
    after, slots = quick.update(engine, v, quick.init(v), grads, 0.01)
    # Nesterov's first step goes along 1.5 times the gradient, in which the decay is.
    np.testing.assert_allclose(2 - after["conv"]["bias"], 1.5 * 0.01 * (0.25 + 0.01 * 2), rtol=1e-4)
    np.testing.assert_allclose(2 - after["norm"]["bias"], 1.5 * (0.64 * 0.25 + 0.01 * 0.01 * 2), rtol=1e-4)
    assert slots["count"] == 1
    assert slots["velocity"].keys() == {"norm", "conv"}
    alike = make_optimizer(OptimizerOptions(**options))
    once, _ = alike.update(engine, v, alike.init(v), grads, 0.01)
    np.testing.assert_array_equal(once["norm"]["bias"], once["conv"]["bias"])
