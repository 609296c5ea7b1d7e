"""The fast engine beside the reference: how far apart two results are, and shapes to try."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from residua.engines.numpy.engine import NumpyEngine

REFERENCE = NumpyEngine()


TOLERANCE = 2e-5


def far(engine, mine, exact, floor=1e-2):
    """The largest difference relative to the largest number."""
    mine, exact = np.asarray(engine.plain(mine), np.float64), np.asarray(exact)
    assert mine.shape == exact.shape
    return np.abs(mine - exact).max(initial=0) / max(np.abs(exact).max(initial=0), floor)


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
