"""Pooling on the fast engine: the reference's numbers, to the last bit where they are sums in its order."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from residua.engines.numpy.engine import NumpyEngine

REFERENCE = NumpyEngine()


@pytest.mark.parametrize("shape", [(3, 13, 13, 40), (1, 7, 5, 16), (2, 1, 1, 33), (5, 2, 3, 200)])
def test_the_mean_of_a_finished_picture_is_the_references(engine, shape, monkeypatch):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    exact, _ = REFERENCE.global_average_pool(x)
    monkeypatch.setattr(NumpyEngine, "global_average_pool", lambda *given: pytest.fail("not by a kernel"))
    mean, saved = engine.global_average_pool(x)
    assert engine.plain(mean).tobytes() == exact.tobytes()
    dy = np.random.default_rng(1).normal(size=exact.shape).astype(np.float32)
    back = engine.plain(engine.global_average_pool_backward(dy, saved))
    assert np.array_equal(back, REFERENCE.global_average_pool_backward(dy, shape))


@pytest.mark.parametrize("shape", [(2, 4, 4, 3), (2, 4, 4, 1)])
def test_of_few_channels_the_reference_takes_the_mean(engine, shape):
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    assert np.array_equal(engine.plain(engine.global_average_pool(x)[0]), x.mean(axis=(1, 2)))


@pytest.mark.parametrize("name", ["max_pool", "average_pool"])
@pytest.mark.parametrize("sizes", [(3, 2, 0), (3, 2, 1), (2, 2, 0), (5, 3, 2)])
def test_windows_inside_and_at_the_edge(engine, name, sizes):
    """Both ways, several vectors of channels and one that is not whole."""
    options = dict(zip(("kernel", "stride", "padding"), sizes, strict=True))
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 11, 14, 36)).astype(np.float32)
    y, saved = getattr(engine, name)(x, **options)
    exact, exactly = getattr(REFERENCE, name)(x, **options)
    assert np.allclose(engine.plain(y), exact, atol=1e-6)
    dy = rng.normal(size=exact.shape).astype(np.float32)
    dx = engine.plain(getattr(engine, f"{name}_backward")(dy, saved, **options))
    assert np.allclose(dx, getattr(REFERENCE, f"{name}_backward")(dy, exactly, **options), atol=1e-5)
