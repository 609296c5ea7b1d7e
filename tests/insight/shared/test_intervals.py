"""Wilson's interval."""

from __future__ import annotations

import numpy as np
import pytest

from residua.insight.shared.intervals import wilson_interval


def test_wilsons_interval():
    # z = 1.959964: (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n) for 8 of 10.
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson_interval(10, 10)[1] == 1
    assert wilson_interval(0, 10)[0] == 0


def test_it_is_the_interval_that_scipy_computes():
    from scipy.stats import binomtest

    random = np.random.default_rng(0)
    for _ in range(40):
        pictures = int(random.choice([1, 7, 400, 10_000, 50_000]))
        right = int(random.integers(pictures + 1))
        wanted = binomtest(right, pictures).proportion_ci(method="wilson")
        assert wilson_interval(right, pictures) == (wanted.low, wanted.high), (right, pictures)


@pytest.mark.parametrize(("right", "pictures"), [(0, 0), (3, 2), (-1, 2)])
def test_counts_that_cannot_be(right, pictures):
    with pytest.raises(ValueError, match="of 1 picture or more 0 to all are right"):
        wilson_interval(right, pictures)
