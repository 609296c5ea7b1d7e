"""Into which blocks products are cut.

A core starts two multiply-adds a cycle and each takes four, so at least eight must be under way, and each
number of A that is read should serve several. With 32 registers of 16 floats, 6 x 4 vectors, 8 x 2 or 16 x 1;
with 16 registers, 6 x 2, 4 x 2 or 8 x 1. Measured on an Intel Xeon, 6 x 4 is 7 per cent faster than 8 x 2, as
long as there are more than 8 rows.
"""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.vector import (
    REGISTERS,
    WIDTH,
    inline,
    spliced,
)

# Rows of A come in multiples of this; what lies beyond the last valid row is computed and ignored.
ROWS = 8 if REGISTERS == 32 else 4
HALF = 4  # rows of `product_of_half`
BLOCK = 2 * ROWS  # rows at a time that keep the registers busy
PANEL = 2 * WIDTH  # columns
WIDE = 4 * WIDTH if REGISTERS == 32 else PANEL  # columns, where there are BLOCK rows
LARGEST = 24 * WIDTH if REGISTERS == 32 else 12 * WIDTH  # floats of C in registers
DEEP = 256 * PANEL // WIDE  # steps: rows of B, so wide, that stay in the first-level cache


@spliced
def pace_of(lines, rows, columns, depth):
    """Bytes a step, for so many lines of 64 bytes or some more in a product of that size."""
    return 64 * lines // (max(1, rows * columns // LARGEST) * depth) + 1


@inline
def window_block(window):
    """How many of `window` rows are best multiplied at a time by `product_of_window`.

    A row of a 7x7 kernel on RGB pixels is 21 numbers, of a 3x3 kernel 9: in eights, up to half of the work
    would be for nothing. With 16 registers, a few rows for nothing cost no more than other blocks.
    """
    if REGISTERS == 32 and window % ROWS != 0:
        if window % 7 == 0:
            return 7
        if window % 9 == 0:
            return 9
    return (window + ROWS - 1) // ROWS * ROWS


@inline
def rounded(count):
    """The next multiple of ROWS."""
    return (count + ROWS - 1) // ROWS * ROWS


def rounded_up(count: int) -> int:
    """`rounded`, on the host."""
    return -(-count // ROWS) * ROWS
