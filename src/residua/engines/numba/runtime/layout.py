"""How pictures lie in memory and how work on them is cut, whatever the number of threads."""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.vector import WIDTH
from residua.engines.numba.kernels.products.blocks import ROWS

LANES = max(WIDTH, ROWS)
MOST_PARTS = 16  # of one kernel's work; each has sums of its own, so results do not depend on threads


def padded(channels: int) -> int:
    """The next multiple of a vector, and of the rows that a product takes: channels are rows of a dweight."""
    return -(-channels // LANES) * LANES
