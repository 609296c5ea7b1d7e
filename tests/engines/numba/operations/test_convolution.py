"""Convolutions of every shape on the fast engine, held to the reference."""

from __future__ import annotations

import numpy as np
import pytest
from fast_engine import REFERENCE, TOLERANCE, far, shapes

pytest.importorskip("numba")
from hypothesis import given
from hypothesis import strategies as st
from tiers import examples

from residua.engines.numba import NumbaEngine
from residua.engines.numba.planning import convolution as plans
from residua.errors import ShapeError


@examples(60, 6)
@given(shape=shapes, seed=st.integers(0, 2**16))
def test_convolution_follows_the_reference(engine, shape, seed):
    n, h, w, c, k, kernel, stride, padding = shape
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, h, w, c)).astype(np.float32)
    weight = rng.normal(0, (kernel * kernel * c) ** -0.5, (kernel, kernel, c, k)).astype(np.float32)
    bias = rng.normal(size=k).astype(np.float32)
    options = {"stride": stride, "padding": padding}
    if kernel > min(h, w) + 2 * padding:
        with pytest.raises(ShapeError, match="kernel"):
            engine.conv2d(x, weight, bias, **options)
        return
    y, saved = engine.conv2d(x, weight, bias, **options)
    exact, exact_saved = REFERENCE.conv2d(*(a.astype(np.float64) for a in (x, weight, bias)), **options)
    dy = rng.normal(size=exact.shape).astype(np.float32)
    grads = engine.conv2d_backward(dy, weight, saved, **options)
    exact_grads = REFERENCE.conv2d_backward(
        dy.astype(np.float64), weight.astype(np.float64), exact_saved, **options
    )
    assert far(engine, y, exact) < TOLERANCE
    for name, mine, theirs in zip(("dx", "dweight", "dbias"), grads, exact_grads, strict=True):
        assert far(engine, mine, theirs) < TOLERANCE, name


def test_nothing_in_nothing_out(engine):
    x, weight = np.zeros((0, 8, 8, 16), np.float32), np.zeros((3, 3, 16, 16), np.float32)
    y, _ = engine.conv2d(x, weight, None, stride=1, padding=1)
    assert engine.plain(y).shape == (0, 8, 8, 16)


def test_wrong_channels_are_named(engine):
    with pytest.raises(ShapeError, match="16 channels"):
        engine.conv2d(np.zeros((2, 8, 8, 3), np.float32), np.zeros((3, 3, 16, 16), np.float32), None,
                      stride=1, padding=1)  # fmt: skip


MANY_CHANNELS = [
    # batch, height, width, channels in and out, kernel
    (2, 14, 13, 240, 256, 1),
    (4, 5, 5, 512, 256, 1),
    (1, 3, 3, 64, 48, 1),
    (5, 7, 7, 256, 256, 3),
    (9, 12, 12, 160, 144, 3),
    (3, 4, 5, 512, 176, 3),
    (40, 8, 8, 192, 100, 3),
    (2, 7, 7, 512, 1024, 1),
    (3, 5, 5, 1030, 300, 1),
    (1, 1, 1, 520, 528, 1),
    (8, 9, 13, 128, 96, 5),
    (8, 9, 13, 128, 96, 7),
    (9, 20, 20, 96, 128, 7),
]


@pytest.mark.sample(1)
@pytest.mark.parametrize("shape", MANY_CHANNELS)
def test_many_channels_follow_the_reference(engine, shape):
    """Matrices in panels, whole ones and narrower ones; in steps of their depth; few and many tiles; windows
    of whole pictures, and of some rows at a time."""
    n, h, w, c, k, kernel = shape
    rng = np.random.default_rng(0)
    x, dy = (rng.normal(size=(n, h, w, channels)).astype(np.float32) for channels in (c, k))
    weight = rng.normal(0, (kernel * kernel * c) ** -0.5, (kernel, kernel, c, k)).astype(np.float32)
    bias = rng.normal(size=k).astype(np.float32)
    options = {"stride": 1, "padding": kernel // 2}
    y, saved = engine.conv2d(x, weight, bias, **options)
    exact, exactly = REFERENCE.conv2d(*(a.astype(np.float64) for a in (x, weight, bias)), **options)
    found = [y, *engine.conv2d_backward(dy, weight, saved, **options)]
    wide = (dy.astype(np.float64), weight.astype(np.float64))
    for mine, right in zip(
        found, [exact, *REFERENCE.conv2d_backward(*wide, exactly, **options)], strict=True
    ):
        assert far(engine, mine, right) < TOLERANCE


@pytest.mark.sample(1)
@pytest.mark.parametrize("shape", [(33, 7, 7, 128, 144), (9, 14, 14, 144, 128)])
def test_tiles_of_seven_train_alike_for_any_threads(shape):
    n, h, w, c, k = shape
    rng = np.random.default_rng(0)
    x, dy = (rng.normal(size=(n, h, w, channels)).astype(np.float32) for channels in (c, k))
    weight = rng.normal(0, (9 * c) ** -0.5, (3, 3, c, k)).astype(np.float32)
    scale, shift = np.ones(k, np.float32), np.zeros(k, np.float32)
    options = {"stride": 1, "padding": 1, "relu": True}
    assert plans.plan(plans.shape_of(n, h, w, c, k, 3, 1, 1)).tile == 7
    assert plans.forward_plan(plans.shape_of(n, h, w, c, k, 3, 1, 1)).tile == 0  # one picture has few tiles

    def both(engine, *arrays):
        x, weight, dy = arrays
        y, mean, var, saved = engine.conv_norm(x, weight, scale, shift, eps=1e-5, **options)
        return y, mean, var, *engine.conv_norm_backward(dy, weight, scale, saved, **options)

    right = both(REFERENCE, *(a.astype(np.float64) for a in (x, weight, dy)))
    engines = [NumbaEngine(threads) for threads in (1, 2, 4)]
    found = [[np.array(e.plain(a)) for a in both(e, x, weight, dy)] for e in engines]
    for mine, others in zip(zip(*found, strict=True), right, strict=True):
        assert far(engines[0], mine[0], others) < TOLERANCE
        assert mine[0].tobytes() == mine[1].tobytes() == mine[2].tobytes()


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "shape", [(9, 9, 11, 16, 32, 5, 2), (9, 13, 12, 32, 16, 2, 0), (9, 8, 8, 16, 20, 5, 4)]
)
def test_groups_of_pictures_follow_the_reference(shape, monkeypatch):
    """2x2 and 5x5 kernels, whose tiles are transformed some pictures at a time, alike for any threads."""
    monkeypatch.setattr(plans, "MATRICES", 2**16)
    n, h, w, c, k, kernel, padding = shape
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, h, w, c)).astype(np.float32)
    weight = rng.normal(0, (kernel * kernel * c) ** -0.5, (kernel, kernel, c, k)).astype(np.float32)
    options = {"stride": 1, "padding": padding}
    exact, exactly = REFERENCE.conv2d(*(a.astype(np.float64) for a in (x, weight)), None, **options)
    dy = rng.normal(size=exact.shape).astype(np.float32)
    right = [
        exact,
        *REFERENCE.conv2d_backward(*(a.astype(np.float64) for a in (dy, weight)), exactly, **options),
    ]
    found = []
    try:
        plans.plan.cache_clear()
        plans.forward_plan.cache_clear()
        for threads in (1, 2, 4):
            engine = NumbaEngine(threads)
            y, saved = engine.conv2d(x, weight, None, **options)
            grads = engine.conv2d_backward(dy, weight, saved, **options)
            found.append([np.array(engine.plain(a)) for a in (y, *grads)])
        p = plans.plan(plans.shape_of(n, h, w, c, -(-k // 16) * 16, kernel, 1, padding))
        assert p.method == "winograd"
        assert len(p.groups(p.forward.parts, by_rows=False)) > 1
    finally:
        plans.plan.cache_clear()
        plans.forward_plan.cache_clear()
    for mine, others in zip(zip(*found, strict=True), right, strict=True):
        assert far(engine, mine[0], others) < TOLERANCE
        assert mine[0].tobytes() == mine[1].tobytes() == mine[2].tobytes()


@pytest.mark.parametrize(
    ("size", "c", "k", "kernel", "stride"),
    [
        (21, 3, 16, 7, 2),  # rows of outputs
        (97, 3, 16, 3, 1),  # each finished by itself
        (19, 16, 16, 3, 1),  # rows of tiles
        (7, 64, 96, 3, 1),  # few tiles: columns, in lower blocks of products
        (13, 32, 64, 3, 2),
        (9, 144, 144, 3, 1),  # all tiles at once
        (14, 144, 272, 3, 2),  # gathered windows, for which many pictures would be transformed
        (5, 144, 272, 1, 1),  # blocks of pixels and panels of columns
        (7, 16, 48, 5, 1),
        (27, 16, 48, 5, 1),  # some rows of tiles, in groups
        (7, 48, 64, 1, 1),  # wide panels: blocks of twenty rows
        (27, 3, 64, 5, 1),  # and of twenty-eight
        (13, 32, 48, 1, 1),  # one row of pixels, of which the last are copied
        (27, 32, 16, 1, 1),  # one row alone, in a batch many
    ],
)
def test_a_picture_is_convolved_alone_as_in_a_batch(size, c, k, kernel, stride):
    """To the last bit, however the threads share it."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(9, size, size, c)).astype(np.float32)
    weight = rng.normal(0, (kernel * kernel * c) ** -0.5, (kernel, kernel, c, k)).astype(np.float32)
    bias = rng.normal(size=k).astype(np.float32)
    skip = np.roll(REFERENCE.conv2d(x, weight, bias, stride=stride, padding=kernel // 2)[0], 1, axis=0)
    engines = [NumbaEngine(threads) for threads in (2, 1, 4)]

    def convolved(engine, count):
        y, _ = engine.conv2d(x[:count], weight, bias, stride=stride, padding=kernel // 2, relu=True)
        return engine.plain(y)

    def added(engine, count):
        with engine.context.thread_pool:  # as in a step: the convolution waits for its shortcut
            y, _ = engine.conv2d(x[:count], weight, bias, stride=stride, padding=kernel // 2)
            return engine.plain(engine.add_relu(y, skip[:count])[0])

    together = convolved(engines[0], 9)
    exact, _ = REFERENCE.conv2d(x, weight, bias, stride=stride, padding=kernel // 2, relu=True)
    assert far(engines[0], together, exact.astype(np.float64)) < TOLERANCE
    summed = added(engines[0], 9)
    sums = REFERENCE.conv2d(x, weight, bias, stride=stride, padding=kernel // 2)[0] + skip
    assert far(engines[0], summed, np.maximum(sums, 0).astype(np.float64)) < TOLERANCE
    for engine in engines:
        for count in (1, 2):
            assert np.array_equal(convolved(engine, count), together[:count]), (engine.threads, count)
            assert np.array_equal(added(engine, count), summed[:count]), (engine.threads, count)


@pytest.mark.parametrize(
    ("size", "c", "k", "kernel", "stride"),
    [
        (9, 16, 32, 3, 1),  # Winograd's way, picture by picture,
        (9, 16, 16, 3, 2),
        (6, 144, 144, 3, 1),  # and all tiles at once
        (5, 96, 96, 5, 1),  # gathered windows
        (8, 32, 48, 1, 1),  # pixels alone,
        (4, 512, 512, 1, 1),  # with heavy weights
        (9, 16, 16, 5, 1),
        (9, 3, 16, 3, 2),
    ],
)
def test_where_only_inputs_matter_no_gradient_by_a_weight_is_computed(engine, size, c, k, kernel, stride):
    """Saliency maps read none: the same gradient by the picture, without it."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(9, size, size, c)).astype(np.float32)
    weight = rng.normal(0, (kernel * kernel * c) ** -0.5, (kernel, kernel, c, k)).astype(np.float32)
    options = {"stride": stride, "padding": kernel // 2, "relu": True}
    y, saved = engine.conv2d(x, weight, None, **options)
    dy = rng.normal(size=y.shape).astype(np.float32)
    whole = np.array(engine.plain(engine.conv2d_backward(dy, weight, saved, **options)[0]))
    dweight = []

    def back():
        dx, by_weight, _ = engine.conv2d_backward(dy, weight, saved, **options)
        dx = engine.plain(dx)
        dweight.append(by_weight.get())
        return dx

    assert engine.input_gradient(back).tobytes() == whole.tobytes()
    assert dweight == [None]
    assert engine.plain(engine.conv2d_backward(dy, weight, saved, **options)[1]).shape == weight.shape


def test_nor_one_by_the_weight_of_a_linear_layer(engine):
    x, weight = np.ones((3, 20), np.float32), np.ones((20, 10), np.float32)
    y, saved = engine.linear(x, weight, None)
    dx, *others = engine.input_gradient(lambda: engine.linear_backward(np.ones_like(y), weight, saved))
    assert others == [None, None]
    assert np.array_equal(dx, np.full((3, 20), 10, np.float32))
