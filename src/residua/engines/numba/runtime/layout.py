"""How pictures lie in memory and how work on them is cut, whatever the number of threads."""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.vector import WIDTH
from residua.engines.numba.kernels.products.blocks import ROWS
from residua.engines.numba.runtime.kernel_names import Kernel, narrow
from residua.engines.numba.runtime.processor import NARROW, has_narrow_kernels

LANES = max(WIDTH, ROWS)
# More channels than one vector of this process', and no more than these, are padded to narrow ones: with 24,
# a quarter of all work is saved; from 56 on wide vectors are the faster ones even so.
MOST_NARROW = 40 if has_narrow_kernels() else 0
MOST_PARTS = 16  # of one kernel's work; each has sums of its own, so results do not depend on threads


def padded(channels: int) -> int:
    """The next multiple of a vector, and of the rows that a product takes: channels are rows of a dweight."""
    lanes = NARROW[0] if LANES < channels <= MOST_NARROW else LANES
    return -(-channels // lanes) * lanes


def whole(channels: int) -> bool:
    """Whether pictures of so many channels lie without padding."""
    return padded(channels) == channels


def has_narrow(*channels: int) -> bool:
    """Whether pictures of some of these channels, as they lie, are no multiple of this process' vectors.

    A few, of pictures from outside, are read one by one.
    """
    return any(WIDTH < count <= MOST_NARROW and count % WIDTH != 0 for count in channels)


def narrow_panel(columns: int) -> int:
    """`products.panels.panel_width` of narrow kernels, which have 16 registers: two vectors or one."""
    return 2 * NARROW[0] if columns % (2 * NARROW[0]) == 0 else NARROW[0]


def suited(function: Kernel, *channels: int) -> Kernel:
    """The kernel for vectors that fit pictures of all these channels, as they lie."""
    return narrow(function) if has_narrow(*channels) else function
