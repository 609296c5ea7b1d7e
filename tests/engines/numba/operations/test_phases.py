"""Convolutions that are taken over the phases of their stride, held to the reference."""

from __future__ import annotations

import numpy as np
import pytest
from fast_engine import REFERENCE, TOLERANCE, far

pytest.importorskip("numba")

from residua.engines.numba import NumbaEngine
from residua.engines.numba.operations import convolution
from residua.engines.numba.operations.phases import forward_plans
from residua.engines.numba.planning.phases import phases_plan

SHAPES = [
    # batch, height, width, channels in and out, kernel, stride, padding
    (9, 20, 20, 128, 128, 9, 2, 0),
    (9, 19, 22, 128, 96, 9, 2, 1),  # a last row that no window reaches, and channels of no whole panel
    (8, 21, 17, 128, 128, 5, 2, 2),
    (12, 20, 20, 128, 100, 6, 2, 2),  # padded channels
]


def arrays(shape):
    n, h, w, c, k, kernel, stride, padding = shape
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, h, w, c)).astype(np.float32)
    weight = rng.normal(0, (kernel * kernel * c) ** -0.5, (kernel, kernel, c, k)).astype(np.float32)
    out = ((side + 2 * padding - kernel) // stride + 1 for side in (h, w))
    return x, weight, rng.normal(size=(n, *out, k)).astype(np.float32)


def both_ways(engine, options, x, weight, dy):
    y, saved = engine.conv2d(x, weight, None, **options)
    return y, *engine.conv2d_backward(dy, weight, saved, **options)


@pytest.mark.sample(2)
@pytest.mark.parametrize("shape", SHAPES)
def test_both_ways_follow_the_reference_alike_for_any_threads(shape):
    x, weight, dy = arrays(shape)
    options = {"stride": shape[-2], "padding": shape[-1]}
    assert phases_plan(convolution.convolution_shape(x, weight, **options)) is not None
    right = both_ways(REFERENCE, options, *(a.astype(np.float64) for a in (x, weight, dy)))
    engines = [NumbaEngine(threads) for threads in (1, 2, 4)]
    found = [[np.array(e.plain(a)) for a in both_ways(e, options, x, weight, dy)] for e in engines]
    for mine, exact in zip(zip(*found, strict=True), right, strict=True):
        assert far(engines[0], mine[0], exact) < TOLERANCE
        assert mine[0].tobytes() == mine[1].tobytes() == mine[2].tobytes()


@pytest.mark.parametrize("recorded", [False, True])
def test_between_normalisations_with_a_shortcut(engine, recorded):
    """What comes in is unfinished and read twice; what goes back is added to by the other reader."""
    x, weight, dy = arrays(SHAPES[2])
    c, k = weight.shape[2:]
    rng = np.random.default_rng(1)
    first = rng.normal(0, c**-0.5, (1, 1, c, c)).astype(np.float32)
    short = rng.normal(0, c**-0.5, (1, 1, c, k)).astype(np.float32)
    scale, shift = np.full(c, 1.5, np.float32), np.full(c, 0.1, np.float32)

    def step(engine, x, first, weight, short, scale, shift, dy):
        one = {"stride": 1, "padding": 0, "relu": True}
        large, small = ({"stride": 2, "padding": p, "relu": False} for p in (2, 0))
        h, _, _, of_first = engine.conv_norm(x, first, scale, shift, eps=1e-5, **one)
        y, _, _, of_large = engine.conv_norm(h, weight, None, None, eps=1e-5, **large)
        z, _, _, of_small = engine.conv_norm(h, short, None, None, eps=1e-5, **small)
        y, saved = engine.add_relu(y, z)
        dy = engine.add_relu_backward(dy, saved)
        dh, dweight, *_ = engine.conv_norm_backward(dy, weight, None, of_large, **large)
        dz, dshort, *_ = engine.conv_norm_backward(dy, short, None, of_small, **small)
        gradients = engine.conv_norm_backward(engine.add(dh, dz), first, scale, of_first, **one)
        return y, dweight, dshort, *gradients

    given = x, first, weight, short, scale, shift, dy
    right = step(REFERENCE, *(a.astype(np.float64) for a in given))
    run = engine.compile(lambda *given: step(engine, *given)) if recorded else lambda *a: step(engine, *a)
    for mine, exact in zip(run(*given), right, strict=True):
        assert far(engine, mine, exact) < TOLERANCE


def test_of_a_gradient_by_the_input_alone_the_other_is_not_computed(engine):
    x, weight, dy = arrays(SHAPES[2])
    options = {"stride": 2, "padding": 2}
    _, saved = engine.conv2d(x, weight, None, **options)
    dx = engine.input_gradient(lambda: engine.conv2d_backward(dy, weight, saved, **options)[0])
    exact, *_ = both_ways(REFERENCE, options, *(a.astype(np.float64) for a in (x, weight, dy)))[1:]
    assert far(engine, dx, exact) < TOLERANCE


@pytest.mark.parametrize("shape", SHAPES[:2])
def test_a_picture_alone_gives_the_same_numbers_as_among_others(engine, shape):
    x, weight, _ = arrays(shape)
    options = {"stride": shape[-2], "padding": shape[-1], "relu": True}
    bias = np.linspace(-0.1, 0.1, weight.shape[3], dtype=np.float32)
    together = np.array(engine.plain(engine.conv2d(x, weight, bias, **options)[0]))
    for i in (0, len(x) - 1):
        alone = np.array(engine.plain(engine.conv2d(x[i : i + 1], weight, bias, **options)[0]))
        assert alone.tobytes() == together[i : i + 1].tobytes()


def test_weights_that_stay_what_they_are_give_the_same_but_for_rounding(engine):
    """They are gathered, which takes a single picture less time."""
    x, weight, _ = arrays(SHAPES[0])
    s = convolution.convolution_shape(x, weight, 2, 0, forward_alone=True)
    assert forward_plans(weight, s)[1] is not None
    passing = np.array(engine.plain(engine.conv2d(x, weight, None, stride=2, padding=0)[0]))
    weight.flags.writeable = False
    assert forward_plans(weight, s)[1] is None
    kept = engine.plain(engine.conv2d(x, weight, None, stride=2, padding=0)[0])
    assert far(engine, passing, kept) < TOLERANCE
