"""Wilson's interval."""

from __future__ import annotations

import pytest

from residua.insight.shared.intervals import wilson_interval


def test_wilsons_interval():
    # z = 1.959964: (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n) for 8 of 10.
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson_interval(10, 10)[1] == 1
    assert wilson_interval(0, 10)[0] == 0
