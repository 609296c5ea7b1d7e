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
