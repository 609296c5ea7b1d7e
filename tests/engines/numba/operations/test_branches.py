"""Branches that meet: copied by kernels where channels are whole vectors, the reference's bytes always."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from residua.engines.numba.operations import branches
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


SHAPES = [  # kernel, stride, padding, channels of x and of the result, the picture's side, pictures
    (1, 1, 0, 16, 64, 8, 2),  # pixels in rows of blocks, straight to where they belong
    (1, 1, 0, 16, 32, 5, 1),
    (3, 1, 1, 16, 64, 7, 2),  # Winograd's way, with edges
    (3, 1, 1, 64, 16, 8, 1),
    (3, 1, 1, 16, 16, 8, 1),
    (3, 2, 1, 16, 32, 9, 3),
    (3, 1, 1, 160, 160, 6, 2),  # with many channels
    (5, 1, 2, 32, 32, 12, 1),
    (3, 2, 1, 128, 160, 9, 1),  # gathered windows
    (4, 2, 0, 16, 16, 9, 2),  # direct
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("relu", [False, True])
def test_convolutions_store_where_their_channels_belong(engine, monkeypatch, shape, relu):
    """The same bytes as of a convolution alone, and nothing is copied."""
    kernel, stride, padding, c, k, side, count = shape
    rng = np.random.default_rng(1)
    x, bias = pictures(rng, c, count, side, side), rng.normal(size=k).astype(np.float32)
    weight = rng.normal(size=(kernel, kernel, c, k)).astype(np.float32)
    options = {"stride": stride, "padding": padding, "relu": relu}
    alone = engine.plain(engine.conv2d(x, weight, bias, **options)[0])
    other = np.full((*alone.shape[:3], 16), 7, np.float32)
    monkeypatch.setattr(branches, "_copy", counting(branches._copy, copies := []))

    def work(x, other):
        return engine.concatenate(other, engine.conv2d(x, weight, bias, **options)[0], other)[0]

    compiled = engine.compile(work)
    for _ in range(5):
        assert np.array_equal(compiled(x, other), np.concatenate([other, alone, other], axis=-1))
    assert copies == [16] * len(copies)


def counting(copy, copies):
    def counted(context, source, target, count):
        copies.append(count)
        copy(context, source, target, count)

    return counted


def test_what_is_stored_there_is_read_by_others_and_has_gradients(engine):
    rng = np.random.default_rng(2)
    x, dy = pictures(rng, 16), pictures(rng, 80)
    weights = [rng.normal(size=(size, size, 16, k)).astype(np.float32) for size, k in ((1, 32), (3, 48))]
    bias = rng.normal(size=32).astype(np.float32)

    def work(engine, x, dy, first, second, bias):
        a, saved_a = engine.conv2d(x, first, bias, stride=1, padding=0, relu=True)
        b, saved_b = engine.conv2d(x, second, None, stride=1, padding=1, relu=True)
        y, saved = engine.concatenate(a, b)
        da, db = engine.concatenate_backward(dy, saved)
        dx_a, *grads = engine.conv2d_backward(da, first, saved_a, stride=1, padding=0, relu=True)
        dx_b, dsecond, _ = engine.conv2d_backward(db, second, saved_b, stride=1, padding=1, relu=True)
        twice, _ = engine.concatenate(a, a, b)
        return y, twice, engine.add(dx_a, dx_b), dsecond, *grads

    expected = work(NumpyEngine(1), x, dy, *weights, bias)
    compiled = engine.compile(lambda *arrays: work(engine, *arrays))
    for _ in range(5):
        for found, wanted in zip(compiled(x, dy, *weights, bias), expected, strict=True):
            np.testing.assert_allclose(found, wanted, atol=2e-5 * np.abs(wanted).max())


def test_no_pictures_are_no_work(engine):
    y, _ = engine.concatenate(np.zeros((0, 4, 4, 16), np.float32), np.zeros((0, 4, 4, 16), np.float32))
    assert engine.plain(y).shape == (0, 4, 4, 32)
