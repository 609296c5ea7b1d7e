"""The fast engine held to the reference: every operation, many shapes, unusual arrays."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("numba")

from hypothesis import given
from hypothesis import strategies as st
from tiers import examples

from residua.engines.numba import NumbaEngine
from residua.engines.numba.kernels.primitives import denormals as flushing
from residua.engines.numpy.engine import NumpyEngine
from residua.errors import EngineError, ShapeError
from residua.testing import check_engine

REFERENCE = NumpyEngine()
TOLERANCE = 2e-5


@pytest.fixture(scope="module")
def engine():
    return NumbaEngine(2)


def far(engine, mine, exact, floor=1e-2):
    """The largest difference relative to the largest number."""
    mine, exact = np.asarray(engine.plain(mine), np.float64), np.asarray(exact)
    assert mine.shape == exact.shape
    return np.abs(mine - exact).max(initial=0) / max(np.abs(exact).max(initial=0), floor)


def test_contract(engine):
    check_engine(engine)


shapes = st.tuples(
    st.integers(1, 9),  # batch
    st.integers(1, 40),  # height
    st.integers(1, 40),  # width
    st.integers(1, 70),  # channels in
    st.integers(1, 70),  # channels out
    st.sampled_from([1, 2, 3, 3, 3, 5, 7]),  # kernel
    st.integers(1, 3),  # stride
    st.integers(0, 3),  # padding
)


@examples(60, 12)
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


def away_from_kinks(dy, y):
    """dy where the value before ReLU is not so near to zero that rounding decides."""
    return np.where(np.abs(y) > 1e-3, dy, 0)


@examples(40, 8)
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


@pytest.mark.parametrize(
    "form", ["read-only", "reversed", "every second", "misaligned", "big-endian", "fortran"]
)
def test_unusual_arrays(engine, form):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 8, 8, 16)).astype(np.float32)
    weight = rng.normal(size=(3, 3, 16, 16)).astype(np.float32) / 12
    given = {
        "read-only": lambda: x.copy(),
        "reversed": lambda: x[::-1].copy()[::-1],
        "every second": lambda: np.repeat(x, 2, axis=2)[:, :, ::2],
        "misaligned": lambda: (
            np.frombuffer(b"\0" + x.tobytes(), np.uint8)[1:].view(np.float32).reshape(x.shape)
        ),
        "big-endian": lambda: x.astype(">f4"),
        "fortran": lambda: np.asfortranarray(x),
    }[form]()
    if form == "read-only":
        given.flags.writeable = False
    exact, _ = REFERENCE.conv2d(x.astype(float), weight.astype(float), None, stride=1, padding=1)
    y, saved = engine.conv2d(given, weight, None, stride=1, padding=1)
    assert far(engine, y, exact) < TOLERANCE
    dx, dweight, dbias = engine.conv2d_backward(given, weight, saved, stride=1, padding=1)
    assert all(np.isfinite(engine.plain(g)).all() for g in (dx, dweight, dbias))


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_other_precisions_go_to_the_reference(engine, dtype):
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(2, 6, 6, 3)).astype(dtype), rng.normal(size=(3, 3, 3, 4)).astype(dtype)
    y, _ = engine.conv2d(x, weight, None, stride=1, padding=1)
    np.testing.assert_array_equal(y, REFERENCE.conv2d(x, weight, None, stride=1, padding=1)[0])
    assert y.dtype == dtype


def test_nothing_in_nothing_out(engine):
    x, weight = np.zeros((0, 8, 8, 16), np.float32), np.zeros((3, 3, 16, 16), np.float32)
    y, _ = engine.conv2d(x, weight, None, stride=1, padding=1)
    assert engine.plain(y).shape == (0, 8, 8, 16)


def test_a_batch_too_large_for_memory_names_one_that_fits():
    engine = NumbaEngine(1)
    engine.context.memory.limit = 1 << 20
    x, weight = np.zeros((64, 16, 16, 16), np.float32), np.zeros((3, 3, 16, 16), np.float32)
    with pytest.raises(EngineError, match=r"batch of 64 needs .* try a batch of \d+"):
        engine.conv2d(x, weight, None, stride=1, padding=1)
    assert engine.conv2d(x[:1], weight, None, stride=1, padding=1)[0].shape == (1, 16, 16, 16)


def test_wrong_channels_are_named(engine):
    with pytest.raises(ShapeError, match="16 channels"):
        engine.conv2d(np.zeros((2, 8, 8, 3), np.float32), np.zeros((3, 3, 16, 16), np.float32), None,
                      stride=1, padding=1)  # fmt: skip


@pytest.mark.skipif(
    not (flushing.X86 or flushing.ARM), reason="this processor has no switch for denormal numbers"
)
@pytest.mark.parametrize("threads", [1, 2])
def test_denormal_numbers_count_as_zero_in_kernels_and_nowhere_else(threads):
    """Many processors take a hundred times as long for them."""
    engine = NumbaEngine(threads)
    tiny, one = np.full((8, 16, 16, 16), 1e-40, np.float32), np.ones((3, 3, 16, 16), np.float32)
    convolve = engine.compile(lambda x, weight: engine.conv2d(x, weight, None, stride=1, padding=1)[0])
    for _ in range(5):  # run, recorded, played
        assert not np.any(convolve(tiny, one))
        assert not np.any(convolve(tiny + 1, one * np.float32(1e-40)))
        # The caller's numbers are as fine as before.
        assert (tiny * np.float32(0.5)).max() > 0
    exact, _ = REFERENCE.conv2d(tiny, one, None, stride=1, padding=1)
    assert np.all(exact > 0)


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
    (9, 20, 20, 96, 128, 7),
]


@pytest.mark.sample(3)
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
