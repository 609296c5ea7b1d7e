"""A batch in parts: what they add up to is what one process makes of the whole."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from residua.config import OptimizerOptions, RunOptions
from residua.engines import open_engine
from residua.errors import ConfigError
from residua.layers import BatchNorm1d, Conv2d, ConvNorm, Dropout, Flatten, Linear, MaxPool2d, Sequential
from residua.layers.batch_norm import BatchNorm2d
from residua.training.optimizers import make_optimizer
from residua.training.ranks.crew import SHARDS, Crew
from residua.training.step import make_step, start_state
from residua.variables import flatten, transform

FAST = pytest.mark.skipif(importlib.util.find_spec("numba") is None, reason="numba is not installed")
OPTIONS = OptimizerOptions(rate=0.05, smoothing=0.1)
WIDE = 16
NETWORK = Sequential(
    {
        "conv": ConvNorm(Conv2d(3, WIDE)),
        "norm": BatchNorm2d(WIDE, relu=True),
        "pool": MaxPool2d(2),
        "flat": Flatten(),
        "drop": Dropout(0.3),
        "norm1": BatchNorm1d(WIDE * 16),
        "head": Linear(WIDE * 16, 5),
    }
)


def state_of(dtype):
    variables = NETWORK.init(np.random.default_rng(0))
    variables = transform(lambda a: np.array(a, dtype) if a.dtype == np.float32 else a, variables)
    return start_state(variables, make_optimizer(OPTIONS), 0.0)


def batches(dtype, count=64, steps=4):
    rng = np.random.default_rng(1)
    for _ in range(steps):
        images = rng.normal(size=(count, 8, 8, 3)).astype(dtype)
        yield images, rng.integers(0, 5, count), rng.uniform(0.5, 1.5, count).astype(dtype)


def trained(step, dtype, *total, count=64):
    state = state_of(dtype)
    for images, labels, weights in batches(dtype, count):
        state, results = step(state, images, labels, weights, 0.05, None, *total)
    return flatten(state["variables"]), results


@pytest.mark.parametrize("count", [64, 61])
@pytest.mark.parametrize(
    ("name", "dtype", "tolerance"),
    [("numpy", np.float64, 1e-6), pytest.param("numba", np.float32, 2e-4, marks=FAST)],
)
def test_eight_parts_are_the_whole_batch(name, dtype, tolerance, count):
    """Shares of a batch are float32, hence 1e-6; dropout's mask and all statistics are those of the whole."""
    engine = open_engine(name, threads=1)
    whole, wanted = trained(make_step(NETWORK, engine, OPTIONS), dtype, count=count)
    crew = Crew(None, RunOptions(engine=name, threads=1, exact_ranks=True), lambda: False)
    step = crew.step(lambda engine: make_step(NETWORK, engine, OPTIONS))
    parts, results = trained(step, dtype, count, count=count)
    assert not crew.stopped
    assert results["correct"] == wanted["correct"]
    assert abs(results["loss"] - wanted["loss"]) < tolerance
    for path, numbers in whole.items():
        np.testing.assert_allclose(parts[path], numbers, rtol=0, atol=tolerance, err_msg=path)


@FAST
def test_recorded_steps_and_threads_change_no_byte(monkeypatch):
    once = []
    for threads, at in ((1, 3), (8, 99)):
        monkeypatch.setattr("residua.engines.numba.trace.compiled_step.RECORD_AT", at)
        crew = Crew(None, RunOptions(engine="numba", threads=threads, exact_ranks=True), lambda: True)
        step = crew.step(lambda engine: make_step(NETWORK, engine, OPTIONS))
        once.append({path: a.tobytes() for path, a in trained(step, np.float32, 64)[0].items()})
        assert crew.stopped
    assert once[0] == once[1]


def test_a_part_that_fails_leaves_nobody_waiting():
    crew = Crew(None, RunOptions(engine="numpy", threads=1, exact_ranks=True), lambda: False)

    def make(engine):
        def step(state, images, labels, weights, rate, mixed):
            if engine.together.number == 5:
                raise MemoryError("no more")
            return engine.together.sum(np.ones(3)), {}

        return step

    with pytest.raises(MemoryError, match="no more"):
        crew.step(make)({}, np.zeros((16, 1)), np.zeros(16), None, 0.1, None, 16)


def test_only_powers_of_two_are_exact():
    class World:
        rank, size = 0, 3

    with pytest.raises(ConfigError, match="1, 2, 4 or 8 processes, not 3"):
        Crew(World(), RunOptions(engine="numpy", exact_ranks=True), lambda: False)
    assert SHARDS == 8
