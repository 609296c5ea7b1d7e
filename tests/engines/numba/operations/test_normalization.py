"""Normalised convolutions on the fast engine: pending values in, pending gradients out."""

from __future__ import annotations

import numpy as np
import pytest
from fast_engine import REFERENCE, TOLERANCE, far, shapes

pytest.importorskip("numba")
from hypothesis import given
from hypothesis import strategies as st
from tiers import examples


@examples(40, 4)
@given(shape=shapes, relu=st.booleans(), seed=st.integers(0, 2**16))
def test_two_normalised_convolutions_follow_the_reference(engine, shape, relu, seed):
    """The second reads the first's unfinished value; gradients come back unfinished as well."""
    n, h, w, c, k, kernel, stride, padding = shape
    if kernel > min(h, w) + 2 * padding or n * h * w < 8:
        return
    rng = np.random.default_rng(seed)
    first, second = (
        {
            "weight": rng.normal(0, (9 * i) ** -0.5, (s, s, i, o)),
            "scale": 1 + rng.random(o),
            "shift": rng.random(o),
        }
        for s, i, o in ((3, c, c), (kernel, c, k))
    )
    x = rng.normal(size=(n, h, w, c))
    dy = rng.normal(
        size=((h + 2 * padding - kernel) // stride + 1, (w + 2 * padding - kernel) // stride + 1, k)
    )
    dy = np.broadcast_to(dy, (n, *dy.shape)) * rng.random((n, 1, 1, 1))

    def both(engine, dtype, dy):
        def cast(a):
            return np.asarray(a, dtype)

        one = {"stride": 1, "padding": 1, "relu": relu}
        two = {"stride": stride, "padding": padding, "relu": False}
        a, *_, saved_a = engine.conv_norm(cast(x), *map(cast, first.values()), eps=1e-3, **one)
        b, mean, var, saved_b = engine.conv_norm(a, *map(cast, second.values()), eps=1e-3, **two)
        da, *grads_b = engine.conv_norm_backward(
            cast(dy), cast(second["weight"]), cast(second["scale"]), saved_b, **two
        )
        dx, *grads_a = engine.conv_norm_backward(
            da, cast(first["weight"]), cast(first["scale"]), saved_a, **one
        )
        return [np.asarray(engine.plain(v), np.float64) for v in (b, mean, var, dx, *grads_b, *grads_a)]

    mine, exact = both(engine, np.float32, dy), both(REFERENCE, np.float64, dy)
    assert far(REFERENCE, mine[0], exact[0], 1) < 10 * TOLERANCE
    # A sign that rounding decides at ReLU changes single numbers of the gradients: compare as a whole.
    for a, b in zip(mine, exact, strict=True):
        assert np.linalg.norm(a - b) <= 2e-3 * np.linalg.norm(b) + 1e-3


@pytest.mark.sample(2)
@pytest.mark.parametrize("channels", [(64, 256), (256, 64), (24, 40), (240, 272), (280, 304), (512, 544)])
def test_normalised_1x1_convolutions_follow_the_reference(engine, channels):
    """A pending value into one, the mask and the sums for the value's normalisation out of it.

    From 2**18 weights on, their gradient is one product of all pixels.
    """
    c, k = channels
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 9, 10, 16)).astype(np.float32)
    first = rng.normal(size=(3, 3, 16, c)).astype(np.float32) / 12
    last = rng.normal(0, c**-0.5, (1, 1, c, k)).astype(np.float32)
    scales = [rng.normal(1, 0.2, size).astype(np.float32) for size in (c, c, k, k)]
    dy = rng.normal(size=(3, 9, 10, k)).astype(np.float32)

    def work(engine, x, first, last, a, b, d, e, dy):
        options = {"eps": 1e-5, "stride": 1, "relu": True}
        z, *_, saved = engine.conv_norm(x, first, a, b, padding=1, **options)
        y, *_, later = engine.conv_norm(z, last, d, e, padding=0, **options)
        back = {"stride": 1, "relu": True}
        dz, *rest = engine.conv_norm_backward(dy, last, d, later, padding=0, **back)
        dx, *others = engine.conv_norm_backward(dz, first, a, saved, padding=1, **back)
        return [y, *rest, *others, dx]

    arrays = (x, first, last, *scales, dy)
    exact = work(REFERENCE, *(array.astype(np.float64) for array in arrays))
    for mine, right in zip(work(engine, *arrays), exact, strict=True):
        assert far(engine, mine, right) < TOLERANCE


def error(engine, mine, exact):
    mine, exact = np.asarray(engine.plain(mine)), np.asarray(exact)
    assert mine.shape == exact.shape
    return np.abs(mine - exact).max() / max(1.0, np.abs(exact).max())


def few_numbers(rng, count, equal):
    """A batch of so many pictures of one pixel, all equal or not, large beside their variance."""
    x = 7 + rng.normal(size=(count, 1, 1, 20))
    return np.repeat(x[:1], count, axis=0) if equal else x


@pytest.mark.parametrize("count", [1, 2, 3, 8])
@pytest.mark.parametrize("equal", [True, False], ids=["equal", "different"])
@pytest.mark.parametrize(("kernel", "channels"), [(1, 16), (1, 5), (3, 16), (3, 40)])
def test_a_few_numbers_are_normalised_as_arithmetic_has_it(engine, count, equal, kernel, channels):
    """Forward and backward, the value read by a second convolution, by NumPy and by a pooling."""
    rng = np.random.default_rng(count + channels)
    options = {"stride": 1, "padding": kernel // 2}
    x = few_numbers(rng, count, equal).astype(np.float32)
    weight, second = (
        rng.normal(0, 0.3, (kernel, kernel, a, channels)).astype(np.float32) for a in (20, channels)
    )
    scale, shift = ((1 + rng.random(channels)).astype(np.float32) for _ in range(2))
    dy = rng.normal(size=(count, 1, 1, channels)).astype(np.float32)
    exact = [np.float64(a) for a in (x, weight, second, scale, shift, dy)]

    def through(engine, x, weight, second, scale, shift, dy, relu):
        rest = {"eps": 1e-5, "relu": relu}
        y, mean, var, saved = engine.conv_norm(x, weight, scale, shift, **options, **rest)
        z, _, _, saved_z = engine.conv_norm(engine.share(y), second, scale, shift, **options, **rest)
        dx_z, *_ = engine.conv_norm_backward(dy, second, scale, saved_z, **options, relu=relu)
        gradients = engine.conv_norm_backward(dx_z, weight, scale, saved, **options, relu=relu)
        pooled, _ = engine.global_average_pool(y)
        return [y, z, mean, var, pooled, *gradients]

    relu = bool(count % 2)
    mine = through(engine, x, weight, second, scale, shift, dy, relu)
    reference = through(REFERENCE, *exact, relu)
    single = through(REFERENCE, x, weight, second, scale, shift, dy, relu)
    # What equal numbers, or two, are divided by is next to nothing: float32 has no more digits of it.
    for a, b, right in zip(mine, single, reference, strict=True):
        assert error(engine, a, right) <= (1e-5 if count == 1 else 1e-3) + 8 * error(REFERENCE, b, right)
    if count == 1:
        assert (np.asarray(engine.plain(mine[0])) == np.where(relu, np.maximum(shift, 0), shift)).all()
        assert not np.asarray(engine.plain(mine[5])).any()
        assert not np.asarray(engine.plain(mine[6])).any()
