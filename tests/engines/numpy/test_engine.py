"""The engines compute what the vocabulary says, and the check that says so can fail."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from residua.engines import ENGINES, Engine, open_engine
from residua.engines.numpy.engine import NumpyEngine
from residua.engines.vocabulary.counter_random import uniform_bits
from residua.errors import EngineError, ShapeError
from residua.testing import check_engine
from residua.testing.arrays import distance


# The other engines' contracts are held in folders of their own too: here in the second tier, and that of
# JAX, which compiles every case, there alone.
@pytest.mark.parametrize("name", ["numpy", pytest.param("numba", marks=pytest.mark.exhaustive)])
def test_contract(name):
    check_engine(open_engine(name))


@pytest.mark.sample(1)
@pytest.mark.parametrize("seed", [1, 2])
def test_contract_for_other_numbers(engine, seed):
    check_engine(engine, seed=seed)


def test_the_vocabularys_own_definitions_keep_the_contract():
    """What an engine gets without overriding it."""
    inherited = {
        name: member
        for name, member in vars(Engine).items()
        if name in vars(NumpyEngine)
        and name != "__init__"
        and callable(member)
        and not hasattr(member, "__isabstractmethod__")
    }
    assert {"batch_norm", "batch_norm_backward"} <= set(inherited)
    check_engine(type("Plain", (NumpyEngine,), inherited)())


def test_unknown_engine_lists_its_neighbours():
    with pytest.raises(EngineError, match=r"no engine 'nunpy'. Did you mean 'numpy'\?"):
        open_engine("nunpy")
    assert open_engine("auto").name in ENGINES


# ------------------------------------------------------------------ naive loops


def naive_convolution(x, weight, stride, padding):
    """The vocabulary's formula, number by number."""
    (n, h, w, c), (kernel, _, _, out) = x.shape, weight.shape
    y = np.zeros((n, (h + 2 * padding - kernel) // stride + 1, (w + 2 * padding - kernel) // stride + 1, out))
    for b, i, j, o in np.ndindex(y.shape):
        for u, v, k in np.ndindex(kernel, kernel, c):
            row, column = i * stride + u - padding, j * stride + v - padding
            if 0 <= row < h and 0 <= column < w:
                y[b, i, j, o] += x[b, row, column, k] * weight[u, v, k, o]
    return y


def naive_convolution_gradients(dy, x, weight, stride, padding):
    dx, dweight = np.zeros(x.shape), np.zeros(weight.shape)
    (_, h, w, c), kernel = x.shape, len(weight)
    for b, i, j, o in np.ndindex(dy.shape):
        for u, v, k in np.ndindex(kernel, kernel, c):
            row, column = i * stride + u - padding, j * stride + v - padding
            if 0 <= row < h and 0 <= column < w:
                dx[b, row, column, k] += dy[b, i, j, o] * weight[u, v, k, o]
                dweight[u, v, k, o] += dy[b, i, j, o] * x[b, row, column, k]
    return dx, dweight


def naive_pool(x, dy, kernel, stride, padding, largest):
    """Results and, where dy is given, the gradient; the first of equal maxima takes it."""
    n, h, w, c = x.shape
    y = np.zeros((n, (h + 2 * padding - kernel) // stride + 1, (w + 2 * padding - kernel) // stride + 1, c))
    dx = np.zeros(x.shape)
    for b, i, j, k in np.ndindex(y.shape):
        places = [(i * stride + u - padding, j * stride + v - padding) for u, v in np.ndindex(kernel, kernel)]
        inside = [(r, s) for r, s in places if 0 <= r < h and 0 <= s < w]
        values = [x[b, r, s, k] for r, s in inside]
        gradient = 0.0 if dy is None else dy[b, i, j, k]
        if largest:
            y[b, i, j, k] = max(values)
            dx[(b, *inside[values.index(max(values))], k)] += gradient
        else:
            y[b, i, j, k] = sum(values) / kernel**2
            for r, s in inside:
                dx[b, r, s, k] += gradient / kernel**2
    return y, dx


@st.composite
def windows(draw, pool=False):
    """(N, H, W, C), kernel, stride and padding that fit one another, and a seed."""
    kernel, stride = draw(st.integers(1, 4)), draw(st.integers(1, 3))
    padding = draw(st.integers(0, kernel // 2 if pool else 3))
    least = max(1, kernel - 2 * padding)
    side = st.integers(least, least + 4)
    shape = (draw(st.integers(1, 3)), draw(side), draw(side), draw(st.integers(1, 3)))
    return shape, kernel, stride, padding, draw(st.integers(0, 2**32 - 1))


BOTH = [(np.float64, 1e-12), (np.float32, 2e-5)]
gentle = settings(max_examples=40, deadline=None, derandomize=True)


@gentle
@given(windows(), st.integers(1, 3), st.booleans())
def test_convolution_agrees_with_loops(case, out, relu):
    shape, kernel, stride, padding, seed = case
    rng = np.random.default_rng(seed)
    # Eighths are exact in float32, so ReLU sees the same signs in both precisions.
    x, weight, bias = (
        rng.integers(-16, 17, s) / 8 for s in (shape, (kernel, kernel, shape[-1], out), (out,))
    )
    y = naive_convolution(x, weight, stride, padding) + bias
    y = np.maximum(y, 0) if relu else y
    dy = rng.normal(size=y.shape)
    dx, dweight = naive_convolution_gradients(dy * (y > 0) if relu else dy, x, weight, stride, padding)
    dbias = (dy * (y > 0) if relu else dy).sum(axis=(0, 1, 2))
    for dtype, tolerance in BOTH:
        engine, options = NumpyEngine(), {"stride": stride, "padding": padding, "relu": relu}
        low = [a.astype(dtype) for a in (x, weight, bias, dy)]
        got, saved = engine.conv2d(*low[:3], **options)
        grads = engine.conv2d_backward(low[3], low[1], saved, **options)
        for mine, exact in zip((got, *grads), (y, dx, dweight, dbias), strict=True):
            assert mine.dtype == dtype
            assert distance(mine, exact, floor=1.0) < tolerance


@gentle
@given(windows(pool=True), st.booleans(), st.booleans())
def test_pooling_agrees_with_loops(case, largest, ties):
    shape, kernel, stride, padding, seed = case
    rng = np.random.default_rng(seed)
    x = rng.integers(-1, 2, shape) * 1.0 if ties else rng.normal(size=shape)
    x = x.astype(np.float32).astype(np.float64)
    y, _ = naive_pool(x, None, kernel, stride, padding, largest)
    dy = rng.normal(size=y.shape)
    _, dx = naive_pool(x, dy, kernel, stride, padding, largest)
    engine, options = NumpyEngine(), {"kernel": kernel, "stride": stride, "padding": padding}
    forward = engine.max_pool if largest else engine.average_pool
    backward = engine.max_pool_backward if largest else engine.average_pool_backward
    for dtype, tolerance in BOTH:
        got, saved = forward(x.astype(dtype), **options)
        got_dx = backward(dy.astype(dtype), saved, **options)
        assert got.dtype == got_dx.dtype == dtype
        assert distance(got, y, floor=1.0) < tolerance
        assert distance(got_dx, dx, floor=1.0) < tolerance


@gentle
@given(st.integers(1, 6), st.integers(2, 6), st.floats(0.1, 300), st.integers(0, 2**32 - 1))
def test_cross_entropy_agrees_with_its_definition(count, classes, size, seed):
    rng = np.random.default_rng(seed)
    logits, labels = size * rng.normal(size=(count, classes)), rng.integers(0, classes, count)
    weights = rng.uniform(0, 2, count)
    target = np.full((count, classes), 0.2 / classes)
    target[np.arange(count), labels] += 0.8
    log_total = np.array([np.logaddexp.reduce(row) for row in logits])
    loss = np.mean(weights * (log_total - (target * logits).sum(axis=1)))
    dlogits = weights[:, None] * (np.exp(logits - log_total[:, None]) - target) / count
    got, got_dlogits = NumpyEngine().softmax_cross_entropy(logits, labels, smoothing=0.2, weights=weights)
    assert abs(got - loss) <= 1e-10 * max(1, abs(loss))
    assert np.abs(got_dlogits - dlogits).max() < 1e-10
    probabilities = NumpyEngine().softmax(logits)
    assert np.abs(probabilities.sum(axis=1) - 1).max() < 1e-12


@gentle
@given(st.integers(2, 40), st.integers(1, 5), st.floats(-50, 50), st.integers(0, 2**32 - 1))
def test_batch_norm_agrees_with_its_definition(rows, channels, middle, seed):
    rng = np.random.default_rng(seed)
    x = middle + rng.normal(size=(rows, channels))
    scale, shift = rng.normal(size=(2, channels))
    y, mean, var, _ = NumpyEngine().batch_norm(x, scale, shift, eps=1e-5)
    assert np.allclose(mean, [np.mean(column) for column in x.T], rtol=1e-12, atol=1e-12)
    assert np.allclose(var, [np.var(column) for column in x.T], rtol=1e-10, atol=1e-13)
    expected = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-5) * scale + shift
    assert np.allclose(y, expected, rtol=1e-9, atol=1e-9)


def test_batch_norm_keeps_its_digits_far_from_zero(engine, rng):
    """The mean of squares less the squared mean would be noise here in float32."""
    x = (1000 + rng.normal(size=(64, 5, 5, 3))).astype(np.float32)
    ones, zeros = np.ones(3, np.float32), np.zeros(3, np.float32)
    _, _, var, _ = engine.batch_norm(x, ones, zeros, eps=1e-5)
    assert distance(var, x.astype(np.float64).var(axis=(0, 1, 2))) < 1e-4


def test_nan_is_not_hidden(engine):
    """A loss that is no number must be seen as one."""
    x = np.zeros((1, 2, 2, 1))
    x[0, 1, 1] = np.nan
    options = {"kernel": 2, "stride": 2, "padding": 0}
    assert np.isnan(engine.max_pool(x, **options)[0]).all()
    assert np.isnan(engine.relu(x)[0]).any()
    assert np.isnan(engine.softmax_cross_entropy(np.array([[np.nan, 0.0]]), np.array([1]))[0])


def test_shapes_that_do_not_fit(engine):
    weight = np.zeros((3, 3, 2, 4))
    with pytest.raises(ShapeError, match=r"over 2 channels .* given \(1, 4, 4, 3\)"):
        engine.conv2d(np.zeros((1, 4, 4, 3)), weight, None, stride=1, padding=0)
    with pytest.raises(ShapeError, match="at least 3 pixels"):
        engine.conv2d(np.zeros((1, 2, 4, 2)), weight, None, stride=1, padding=0)
    with pytest.raises(ShapeError, match="kernel of 4"):
        engine.max_pool(np.zeros((1, 2, 4, 2)), kernel=4, stride=1, padding=0)


def test_convolution_in_several_chunks_is_the_same(engine, rng, monkeypatch):
    x, weight = rng.normal(size=(7, 6, 5, 3)), rng.normal(size=(3, 3, 3, 4))
    options = {"stride": 2, "padding": 1}
    y, saved = engine.conv2d(x, weight, None, **options)
    dy = rng.normal(size=y.shape)
    whole = [y, *engine.conv2d_backward(dy, weight, saved, **options)]
    monkeypatch.setattr("residua.engines.numpy.convolution.CHUNK_BYTES", 5000)
    y, saved = engine.conv2d(x, weight, None, **options)
    for mine, other in zip((y, *engine.conv2d_backward(dy, weight, saved, **options)), whole, strict=True):
        assert distance(mine, other) < 1e-12


def test_random_bits_are_uniform_and_follow_from_the_key():
    count = 200_000
    bits = uniform_bits(np, np.array([7, 3], np.uint32), count)
    assert bits.dtype == np.uint32
    shares = np.bincount(bits >> 28, minlength=16) / count
    assert np.abs(shares - 1 / 16).max() < 0.003
    assert np.array_equal(bits[:10], uniform_bits(np, np.array([7, 3], np.uint32), 10))
    for other in ([8, 3], [7, 4], [3, 7]):
        assert (uniform_bits(np, np.array(other, np.uint32), count) == bits).mean() < 1e-3
    pairs = np.corrcoef(bits[:-1].astype(float), bits[1:].astype(float))[0, 1]
    assert abs(pairs) < 0.01


def test_the_number_of_threads_has_no_say_in_the_result():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 24, 24, 8)).astype(np.float32)
    weight = rng.normal(size=(3, 3, 8, 16)).astype(np.float32)
    dy = rng.normal(size=(40, 24, 24, 16)).astype(np.float32)
    found = []
    for threads in (1, 2, 4):
        engine = NumpyEngine(threads)

        def both(x, dy, engine=engine):
            y, saved = engine.conv2d(x, weight, None, stride=1, padding=1)
            return y, *engine.conv2d_backward(dy, weight, saved, stride=1, padding=1)

        found.append([array.tobytes() for array in engine.compile(both)(x, dy)])
    assert found[0] == found[1] == found[2]
