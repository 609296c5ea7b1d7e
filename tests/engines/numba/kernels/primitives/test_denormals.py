"""Denormal numbers count as zero in kernels and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from fast_engine import REFERENCE

pytest.importorskip("numba")
from residua.engines.numba import NumbaEngine
from residua.engines.numba.kernels.primitives import denormals as flushing


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
