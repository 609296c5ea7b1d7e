"""Lookahead: what the weights fall back to, when, and that a stopped run goes on to the same bytes."""

from __future__ import annotations

import numpy as np
import pytest

from residua.engines import open_engine
from residua.training.lookahead import REMEMBERED, make_fall_back, slow_share


@pytest.mark.parametrize("name", ["numpy", "numba"])
def test_both_become_the_mixture_with_statistics_and_without_keys(name):
    if name == "numba":
        pytest.importorskip("numba")
    engine = open_engine(name)
    fast = {"a": {"weight": np.full(3, 4.0, np.float32), "key": np.array([1, 2], np.uint32)}}
    slow = {"a": {"weight": np.zeros(3, np.float32), "key": np.array([7, 8], np.uint32)}}
    fast["a"]["running_mean"], slow["a"]["running_mean"] = np.ones(2, np.float32), np.zeros(2, np.float32)
    fall_back = make_fall_back(engine)
    for share in (0.25, 0.5, 0.25, 0.75):  # recorded at the third
        after = fall_back(fast, slow, share)
        np.testing.assert_allclose(after["a"]["weight"], 4 * (1 - share), rtol=1e-6)
        np.testing.assert_allclose(after["a"]["running_mean"], 1 - share, rtol=1e-6)
        np.testing.assert_array_equal(after["a"]["key"], [1, 2])


def test_slow_weights_count_more_and_more():
    assert slow_share(0.0) == 0
    assert slow_share(0.5) == pytest.approx(REMEMBERED / 8)
    assert slow_share(1.0) == pytest.approx(0.7737809375)
