"""The engine of JAX keeps the contract in float32 and float64, and what is its own."""

from __future__ import annotations

import random

import jax
import numpy as np
import pytest
from tiers import State

from residua.engines import open_engine
from residua.engines.jax.programs import Fixed
from residua.errors import EngineError, ShapeError
from residua.testing import check_engine, engine_check, engine_training, engine_values

PICTURE = (2, 6, 5, 3)


@pytest.fixture(scope="module")
def engine():
    return open_engine("jax")


def some_cases(monkeypatch, share):
    """Of the cases of each operation that share, another one in each run: every case is compiled."""

    def sampled(name, cases):
        def some(rng):
            found = list(cases(rng))
            chosen = random.Random(f"{State.seed} {name}")
            return chosen.sample(found, max(1, round(len(found) * share)))

        return some

    every = {name: sampled(name, cases) for name, cases in engine_check.CASES.items()}
    monkeypatch.setattr(engine_check, "CASES", every)
    chosen = random.Random(State.seed)
    rules = {
        rule: (slots, chosen.sample(choices, 2 if share > 0.1 else 1))
        for rule, (slots, choices) in engine_training.OPTIMIZERS.items()
    }
    monkeypatch.setattr(engine_training, "OPTIMIZERS", rules)
    for module in (engine_training, engine_values):
        monkeypatch.setattr(module, "SHAPE_LISTS", chosen.sample(engine_values.SHAPE_LISTS, 1))


def test_contract(engine, monkeypatch):
    some_cases(monkeypatch, 0.15 if State.everything else 0.01)
    check_engine(engine, tolerance=1e-5)


@pytest.mark.exhaustive
def test_contract_in_float64(engine, monkeypatch):
    some_cases(monkeypatch, 0.05)
    with jax.enable_x64(True):
        check_engine(engine, tolerance=1e-6, dtype=np.float64)


def test_of_equal_maxima_the_first_takes_the_gradient(engine):
    x = np.zeros((1, 4, 4, 1), np.float32)
    _, saved = engine.max_pool(x, kernel=3, stride=1, padding=1)
    dx = engine.max_pool_backward(np.ones((1, 4, 4, 1), np.float32), saved, kernel=3, stride=1, padding=1)
    reference = open_engine("numpy")
    _, kept = reference.max_pool(x, kernel=3, stride=1, padding=1)
    exact = reference.max_pool_backward(
        np.ones((1, 4, 4, 1), np.float32), kept, kernel=3, stride=1, padding=1
    )
    np.testing.assert_array_equal(np.asarray(dx), exact)


def test_what_does_not_fit_is_said_as_by_the_reference(engine):
    x = np.zeros(PICTURE, np.float32)
    wrong, large = np.zeros((3, 3, 4, 2), np.float32), np.zeros((9, 9, 3, 2), np.float32)
    for weight, words in (
        (wrong, "over 4 channels needs pictures"),
        (large, "a kernel of 9 needs a picture"),
    ):
        for name in ("numpy", "jax"):
            with pytest.raises(ShapeError, match=words):
                open_engine(name).conv2d(x, weight, None, stride=1, padding=0)
    kernel = np.zeros((3, 3, 1, 4), np.float32)
    for name in ("numpy", "jax"):
        with pytest.raises(ShapeError, match="in 3 groups needs a multiple of 3 filters; it was given 4"):
            open_engine(name).grouped_conv2d(x, kernel, None, groups=3, stride=1, padding=1)
    with pytest.raises(ShapeError, match="a kernel of 7 needs a picture"):
        engine.max_pool(x, kernel=7, stride=1, padding=0)
    with pytest.raises(ShapeError, match="linear layer over 4 features"):
        engine.linear(np.zeros((2, 3), np.float32), np.zeros((4, 2), np.float32), None)


def test_shapes_that_are_saved_cross_programs_as_they_are(engine):
    x = np.ones(PICTURE, np.float32)
    _, saved = engine.flatten(x)
    assert all(isinstance(side, Fixed) for side in saved)
    assert engine.flatten_backward(np.ones((2, 90), np.float32), saved).shape == PICTURE


def test_arguments_that_are_donated_are_taken_and_others_stay(engine):
    step = engine.compile(lambda state, x: {"a": state["a"] + x}, donate=("state",))
    first = step({"a": np.ones(3, np.float32)}, np.ones(3, np.float32))
    second = step(first, np.ones(3, np.float32))
    assert first["a"].is_deleted()
    np.testing.assert_array_equal(second["a"], np.full(3, 3, np.float32))


def test_an_unknown_precision_is_refused():
    from residua.engines.jax import JaxEngine

    with pytest.raises(EngineError, match=r"no precision 'bfloat'\. Did you mean 'bfloat16'"):
        JaxEngine(precision="bfloat")
