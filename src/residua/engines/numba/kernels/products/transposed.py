"""Blocks of A^T B for two matrices in panels: weights' gradients over a whole batch, without partial sums."""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.primitives.vector import inline
from residua.engines.numba.kernels.products.operands import Left, Right, Size
from residua.engines.numba.kernels.products.panels import at_column
from residua.engines.numba.kernels.products.product import product_ahead


class Panels(NamedTuple):
    """A matrix in panels of columns: where it begins, how many rows it has, how wide a panel is."""

    address: int
    rows: int
    width: int


class Block(NamedTuple):
    """Some rows of A^T B in one of its panels, and the rows of A and B over which is summed."""

    row: int
    rows: int
    column: int
    first: int
    steps: int


@inline
def product_transposed(a, b, c, block, accumulate, ahead):
    """C (+)= that block of A^T B; c: where it lies. All of a block's rows lie in one panel of A."""
    left = a.address + 4 * (at_column(block.row, a.rows, a.width) + block.first * a.width)
    right = b.address + 4 * (at_column(block.column, b.rows, b.width) + block.first * b.width)
    size = Size(block.rows, b.width, 1, block.steps)
    product_ahead(Left(left, 1, 0, a.width), Right(right, 0, b.width), c, size, accumulate, ahead)
