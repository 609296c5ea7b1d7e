"""Convolutions that wait for a shortcut to be added to them: what comes out is what the reference says."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from residua.engines.numba.lazy.promise import DeferredConvolution
from residua.engines.numpy.engine import NumpyEngine


def given(rng, n, h, w, c, k, stride=1, kernel=3):
    x = rng.normal(size=(n, h, w, c)).astype(np.float32)
    weights = [rng.normal(size=(kernel, kernel, i, k)).astype(np.float32) / (3 * i) for i in (c, k)]
    out = (n, -(-h // stride), -(-w // stride), k)
    return x, *weights, rng.normal(size=k).astype(np.float32), rng.normal(size=out).astype(np.float32)


def close(found, expected):
    assert np.abs(np.asarray(found) - expected).max() <= 2e-5 * np.abs(expected).max()


SHAPES = [(2, 8, 8, 16, 16), (3, 7, 9, 16, 32), (1, 33, 30, 32, 16), (5, 4, 4, 64, 64), (2, 6, 5, 128, 256)]


@pytest.mark.sample(2, by="first kernel")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("first", ["convolution", "shortcut"])
@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_shortcut_is_added_where_the_convolution_stores(engine, shape, stride, first, kernel):
    x, weight, _, bias, skip = given(np.random.default_rng(0), *shape, stride, kernel)

    def work(engine, x, weight, bias, skip):
        y, _ = engine.conv2d(x, weight, bias, stride=stride, padding=kernel // 2)
        pair = (y, skip) if first == "convolution" else (skip, y)
        return engine.add_relu(*pair)[0], y

    compiled = engine.compile(lambda *arrays: work(engine, *arrays))
    exact = work(NumpyEngine(1), *(a.astype(np.float64) for a in (x, weight, bias, skip)))
    for _ in range(5):  # run, recorded, played
        z, y = compiled(x, weight, bias, skip)
        close(z, exact[0])
        close(y, exact[1])  # read after the sum: without the shortcut


def test_both_sides_may_be_convolutions(engine):
    x, weight, _, bias, _ = given(np.random.default_rng(1), 3, 10, 11, 16, 16)

    def work(engine, x, weight, bias):
        a, _ = engine.conv2d(x, weight, bias, stride=1, padding=1)
        b, _ = engine.conv2d(x, weight[::-1].copy(), None, stride=1, padding=1)
        return engine.add_relu(a, b)[0]

    compiled = engine.compile(lambda *arrays: work(engine, *arrays))
    exact = work(NumpyEngine(1), *(a.astype(np.float64) for a in (x, weight, bias)))
    close(compiled(x, weight, bias), exact)


def test_blocks_with_and_without_a_stride_and_the_mean_after_them(engine):
    rng = np.random.default_rng(2)
    x, _, _, bias, _ = given(rng, 4, 12, 12, 16, 16)
    shapes = ((16, 16), (16, 16), (16, 32), (32, 32))
    weights = [rng.normal(size=(3, 3, *shape)).astype(np.float32) / 9 for shape in shapes]

    def work(engine, x, bias, weights):
        def convolve(x, weight, stride=1, relu=False):
            return engine.conv2d(x, weight, None, stride=stride, padding=1, relu=relu)[0]

        x = engine.share(x)
        x = engine.add_relu(convolve(convolve(x, weights[0], relu=True), weights[1]), x)[0]
        x = engine.share(x)
        b, _ = engine.subsample_pad(x, channels=32, stride=2)
        x = engine.add_relu(convolve(convolve(x, weights[2], 2, True), weights[3]), b)[0]
        return engine.global_average_pool(x)[0]

    compiled = engine.compile(lambda *arrays: work(engine, *arrays))
    exact = work(NumpyEngine(1), x.astype(np.float64), bias, [w.astype(np.float64) for w in weights])
    for _ in range(5):
        close(compiled(x, bias, weights), exact)


def test_gradients_through_such_a_sum(engine):
    x, weight, last, bias, skip = given(np.random.default_rng(3), 3, 9, 10, 16, 16)
    dy = np.random.default_rng(4).normal(size=skip.shape).astype(np.float32)

    def work(engine, x, weight, last, bias, skip, dy):
        a, saved_a = engine.conv2d(x, weight, bias, stride=1, padding=1)
        z, saved_z = engine.add_relu(a, skip)
        y, saved_y = engine.conv2d(z, last, None, stride=1, padding=1)
        dz, dlast, _ = engine.conv2d_backward(dy, last, saved_y, stride=1, padding=1)
        da = engine.add_relu_backward(dz, saved_z)
        dx, dweight, dbias = engine.conv2d_backward(da, weight, saved_a, stride=1, padding=1)
        return y, dx, dweight, dbias, da, dlast

    arrays = (x, weight, last, bias, skip, dy)
    compiled = engine.compile(lambda *arrays: work(engine, *arrays))
    exact = work(NumpyEngine(1), *(a.astype(np.float64) for a in arrays))
    for _ in range(5):
        for found, expected in zip(compiled(*arrays), exact, strict=True):
            close(found, expected)


def test_outside_of_a_step_nothing_waits(engine):
    """What is changed after the call must not change its result."""
    x, weight, _, bias, _ = given(np.random.default_rng(5), 2, 8, 8, 16, 16)
    y, _ = engine.conv2d(x, weight, bias, stride=1, padding=1)
    assert not isinstance(y, DeferredConvolution)
    before = np.array(y)
    x *= 2
    assert np.array_equal(np.asarray(y), before)


def test_a_shortcut_is_added_to_a_convolution_without_bias(engine):
    """Even where its products go straight to where they are wanted."""
    x, weight, _, _, skip = given(np.random.default_rng(0), 1, 8, 8, 16, 16, kernel=1)

    def work(engine, x, weight, skip):
        return engine.plain(engine.add_relu(engine.conv2d(x, weight, None, stride=1, padding=0)[0], skip)[0])

    found = engine.compile(lambda *arrays: work(engine, *arrays))(x, weight, skip)
    close(found, work(NumpyEngine(), x, weight, skip))
