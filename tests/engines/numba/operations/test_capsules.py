"""Capsules on the fast engine: predictions and routing, held to the reference."""

from __future__ import annotations

import numpy as np
import pytest
from fast_engine import REFERENCE, TOLERANCE, far

pytest.importorskip("numba")

from residua.engines.numba import NumbaEngine
from residua.engines.numba.operations.capsules import RoutingSaved
from residua.engines.numpy.engine import NumpyEngine

SHAPES = [
    # batch, capsules below, their dimension, capsules above, their dimension, routings
    (5, 33, 8, 10, 16, 3),
    (3, 70, 4, 3, 32, 2),  # more than a vector a capsule
    (2, 16, 5, 7, 16, 1),
    (9, 1, 8, 10, 16, 4),
    (40, 24, 3, 1, 16, 3),  # one capsule above takes all
]


def arrays(shape):
    n, below, inside, above, out, _ = shape
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, below, inside)).astype(np.float32)
    weight = (0.3 * rng.normal(size=(below, inside, above, out))).astype(np.float32)
    return x, weight, rng.normal(size=(n, above, out)).astype(np.float32)


def both_ways(engine, routings, x, weight, dy):
    predictions, saved_predictions = engine.predict_capsules(x, weight)
    y, saved = engine.route(predictions, routings=routings)
    dpredictions = engine.route_backward(dy, saved, routings=routings)
    gradients = engine.predict_capsules_backward(dpredictions, weight, saved_predictions)
    return predictions, y, dpredictions, *gradients


@pytest.mark.parametrize("shape", SHAPES)
def test_kernels_follow_the_reference_alike_for_any_threads(shape, monkeypatch):
    routings, given = shape[-1], arrays(shape)
    right = both_ways(REFERENCE, routings, *(a.astype(np.float64) for a in given))
    for name in ("predict_capsules", "predict_capsules_backward", "route", "route_backward"):
        monkeypatch.setattr(NumpyEngine, name, lambda *given, **options: pytest.fail("not by a kernel"))
    engines = [NumbaEngine(threads) for threads in (1, 2, 4)]
    found = [[np.array(e.plain(a)) for a in both_ways(e, routings, *given)] for e in engines]
    for mine, exact in zip(zip(*found, strict=True), right, strict=True):
        assert far(engines[0], mine[0], exact) < TOLERANCE
        assert mine[0].tobytes() == mine[1].tobytes() == mine[2].tobytes()


def test_a_recorded_step_has_the_same_bytes(engine):
    routings, given = SHAPES[0][-1], arrays(SHAPES[0])
    plain = [engine.plain(a).tobytes() for a in both_ways(engine, routings, *given)]
    step = engine.compile(lambda *given: both_ways(engine, routings, *given))
    for _ in range(3):
        assert [engine.plain(a).tobytes() for a in step(*given)] == plain


def test_what_comes_of_a_picture_does_not_depend_on_its_batch(engine):
    x, weight, _ = arrays(SHAPES[0])
    all_of_them = engine.route(engine.predict_capsules(x, weight)[0], routings=3)[0]
    for n in range(len(x)):
        alone = engine.route(engine.predict_capsules(x[n : n + 1], weight)[0], routings=3)[0]
        assert engine.plain(alone).tobytes() == engine.plain(all_of_them)[n].tobytes()


def test_capsules_of_length_zero_have_no_direction(engine):
    x, weight, dy = arrays(SHAPES[0])
    found = [np.asarray(engine.plain(a)) for a in both_ways(engine, 3, 0 * x, weight, dy)]
    assert not found[1].any()
    assert not np.isnan(np.concatenate([a.ravel() for a in found])).any()


@pytest.mark.parametrize(("kind", "out"), [(np.float32, 5), (np.float64, 16)])
def test_what_no_kernel_takes_the_reference_computes(engine, kind, out):
    n, below, inside, above, _, routings = SHAPES[0]
    given = [a.astype(kind) for a in arrays((n, below, inside, above, out, routings))]
    right = both_ways(REFERENCE, routings, *given)
    for mine, exact in zip(both_ways(engine, routings, *given), right, strict=True):
        assert np.array_equal(engine.plain(mine), exact)
    assert not isinstance(engine.route(right[0], routings=routings)[1], RoutingSaved)
