"""Matrices in panels of columns, each from end to end in memory.

So what a block of a product reads lies side by side. Rows of a power of two would share a few places of the
cache: half as fast.
"""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.scalars import part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, spliced
from residua.engines.numba.kernels.products.blocks import PANEL, WIDE


def panel_width(columns: int) -> int:
    """Columns of a panel: all panels of a matrix are as wide."""
    return WIDE if columns % WIDE == 0 else PANEL if columns % PANEL == 0 else WIDTH


width_of = inline(panel_width)


@inline
def at_column(column, rows, panel):
    """Where a matrix of so many rows, in panels of that width, has row 0 of this column."""
    return (column - column % panel) * rows + column % panel


@inline
def panels_of(columns, panel, share, shares):
    """The first column of this share of whole panels, and of the next."""
    first, last = part_of(columns // panel, share, shares)
    return first * panel, last * panel


@spliced
def columns_at(first, columns, wide):
    """Columns of the panel that begins at `first`: a constant, with `columns` known, where all are whole.

    LLVM then compiles no blocks for other ones.
    """
    return wide if columns % wide == 0 else min(wide, columns - first)
