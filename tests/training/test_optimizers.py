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
