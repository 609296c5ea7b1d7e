"""Branches that meet: copied by kernels where channels are whole vectors, the reference's bytes always."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from residua.engines.numpy.engine import NumpyEngine

COUNTS = [(16, 32), (64, 64), (48, 16, 32), (16,)]


def pictures(rng, count, n=3, h=7, w=5):
    return rng.normal(size=(n, h, w, count)).astype(np.float32)


@pytest.mark.parametrize("counts", [*COUNTS, (24, 64), (3, 16), (1, 4)])
def test_channels_follow_one_another(engine, counts):
    rng = np.random.default_rng(0)
    parts = [pictures(rng, count) for count in counts]
    y, saved = engine.concatenate(*parts)
    assert np.array_equal(engine.plain(y), np.concatenate(parts, axis=-1))
    shares = engine.concatenate_backward(y, saved)
    assert all(np.array_equal(engine.plain(share), part) for share, part in zip(shares, parts, strict=True))


@pytest.mark.parametrize("counts", COUNTS)
def test_no_branch_is_copied_by_numpy(engine, monkeypatch, counts):
    def never(*arguments, **options):
        raise AssertionError("the reference was asked")

    monkeypatch.setattr(engine.context.reference, "concatenate", never, raising=False)
    monkeypatch.setattr(engine.context.reference, "concatenate_backward", never, raising=False)
    rng = np.random.default_rng(0)
    y, saved = engine.concatenate(*(pictures(rng, count) for count in counts))
    engine.concatenate_backward(y, saved)


def test_branches_that_wait_are_finished_first(engine):
    """A convolution may be unfinished where its branch ends."""
    rng = np.random.default_rng(0)
    x, weights = pictures(rng, 16), [rng.normal(size=(1, 1, 16, k)).astype(np.float32) for k in (16, 32)]
    ready = {name: np.ones(32, np.float32) for name in ("weight", "bias")}

    def work(engine, x, first, second):
        a, _ = engine.conv2d(x, first, None, stride=1, padding=0)
        b, *_ = engine.conv_norm(
            x, second, ready["weight"], ready["bias"], stride=1, padding=0, eps=1e-5, relu=True
        )
        y, saved = engine.concatenate(a, b)
        return y, *engine.concatenate_backward(y, saved)

    expected = work(NumpyEngine(1), x, *weights)
    compiled = engine.compile(lambda *arrays: work(engine, *arrays))
    for _ in range(5):  # recorded at the third call, replayed after
        for found, wanted in zip(compiled(x, *weights), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=2e-5 * np.abs(wanted).max())


def test_no_pictures_are_no_work(engine):
    y, _ = engine.concatenate(np.zeros((0, 4, 4, 16), np.float32), np.zeros((0, 4, 4, 16), np.float32))
    assert engine.plain(y).shape == (0, 4, 4, 32)
