"""Pictures whose channels leave half a vector empty, by kernels for narrow vectors."""

from __future__ import annotations

import numpy as np
import pytest
from fast_engine import REFERENCE, TOLERANCE, far

pytest.importorskip("numba")
from residua.engines.numba import NumbaEngine
from residua.engines.numba.runtime.processor import has_narrow_kernels

pytestmark = pytest.mark.skipif(not has_narrow_kernels(), reason="this processor has whole vectors")


def narrow_kernels(engine):
    """Those that have been asked for."""
    return {function.__name__ for function, _ in engine.context.kernels._of_process.addresses
            if hasattr(function, "function")}  # fmt: skip


@pytest.mark.parametrize(
    ("c", "k", "kernel", "padding"),
    [
        (24, 64, 3, 0),
        (3, 24, 2, 0),  # three channels, read one by one
        (64, 20, 3, 1),
        (24, 704, 3, 1),  # the whole batch at once, in panels
    ],
)
def test_a_convolution_is_the_same_for_any_threads_and_alone(c, k, kernel, padding):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5, 9, 9, c)).astype(np.float32)
    weight = rng.normal(0, (kernel * kernel * c) ** -0.5, (kernel, kernel, c, k)).astype(np.float32)
    bias, options = rng.normal(size=k).astype(np.float32), {"stride": 1, "padding": padding}
    exact, exactly = REFERENCE.conv2d(*(a.astype(np.float64) for a in (x, weight, bias)), **options)
    dy = rng.normal(size=exact.shape).astype(np.float32)
    wide = (dy.astype(np.float64), weight.astype(np.float64))
    found = []
    for threads in (1, 2, 4):
        engine = NumbaEngine(threads)
        y, saved = engine.conv2d(x, weight, bias, **options)
        grads = engine.conv2d_backward(dy, weight, saved, **options)
        found.append([np.array(engine.plain(a)) for a in (y, *grads)])
    alone, _ = engine.conv2d(x[3:4].copy(), weight, bias, **options)
    assert engine.plain(alone)[0].tobytes() == found[0][0][3].tobytes()
    right = [exact, *REFERENCE.conv2d_backward(*wide, exactly, **options)]
    for mine, others in zip(zip(*found, strict=True), right, strict=True):
        assert far(engine, mine[0], others) < TOLERANCE
        assert mine[0].tobytes() == mine[1].tobytes() == mine[2].tobytes()
    assert "transform_weight" in narrow_kernels(engine) or kernel == 2


def test_a_sum_and_an_activation_of_such_pictures(engine):
    rng = np.random.default_rng(0)
    a, b, dy = (rng.normal(size=(3, 3, 5, 24)).astype(np.float32) for _ in range(3))
    assert np.array_equal(engine.plain(engine.add(a, b)), a + b)
    y, saved = engine.gelu(a)
    exact, exactly = REFERENCE.gelu(a.astype(np.float64))
    assert far(engine, y, exact) < TOLERANCE
    back = REFERENCE.gelu_backward(dy.astype(np.float64), exactly)
    assert far(engine, engine.gelu_backward(dy, saved), back) < TOLERANCE
