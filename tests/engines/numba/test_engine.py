"""The fast engine held to its contract, on unusual arrays and in other precisions."""

from __future__ import annotations

import numpy as np
import pytest
from fast_engine import REFERENCE, TOLERANCE, far

pytest.importorskip("numba")


from residua.testing import check_engine


def test_contract(engine):
    check_engine(engine)


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
