"""Matrix products of any size, put together from micro-kernels."""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.primitives.vector import REGISTERS, inline, spliced
from residua.engines.numba.kernels.products.blocks import BLOCK, HALF, PANEL, ROWS
from residua.engines.numba.kernels.products.micro_kernel import micro_kernel
from residua.engines.numba.kernels.products.operands import (
    Ahead,
    Result,
    Size,
    left_from,
    result_from,
    right_from,
)


def _rows_of(vectors, tall, low, fetches=False):
    """So many vectors of columns, in blocks of `tall` rows, and of `low` ones where those do not fit.

    Like the functions below, it gives back where it has got to with what is fetched.
    """
    tall_block, low_block = micro_kernel(tall, vectors, fetches), micro_kernel(low, vectors, fetches)

    @inline
    def multiply(a, b, c, size, accumulate, ahead):
        m, line, rows = 0, ahead.address, size.rows
        # 16 rows are best cut into 6 + 6 + 4, and 8 into 4 + 4.
        while rows - m >= tall and (tall % low == 0 or rows - m != 2 * low):
            to = result_from(c, m)
            tall_block(left_from(a, m), b, to, size.outer, size.inner, accumulate, Ahead(line, ahead.pace))
            m += tall
            line += ahead.pace * size.outer * size.inner
        while rows - m > 0:
            to = result_from(c, m)
            low_block(left_from(a, m), b, to, size.outer, size.inner, accumulate, Ahead(line, ahead.pace))
            m += low
            line += ahead.pace * size.outer * size.inner
        return Ahead(line, ahead.pace)

    return multiply


def _blocks(vectors, height, fetches=False):
    """As `_rows_of`, of blocks of one height alone."""
    block = micro_kernel(height, vectors, fetches)

    @inline
    def multiply(a, b, c, size, accumulate, ahead):
        line = ahead.address
        for m in range(0, size.rows, height):
            to = result_from(c, m)
            block(left_from(a, m), b, to, size.outer, size.inner, accumulate, Ahead(line, ahead.pace))
            line += ahead.pace * size.outer * size.inner
        return Ahead(line, ahead.pace)

    return multiply


def _product(pairs, singles, quads=None):
    """Two vectors of columns at a time, and the last by itself; with `quads`, four, for 16 rows or more."""
    fours = quads is not None
    quads = quads or pairs

    @inline
    def multiply(a, b, c, size, accumulate, ahead):
        n, columns = 0, size.columns
        if fours and size.rows >= BLOCK:
            while columns - n >= 2 * PANEL:
                ahead = quads(a, right_from(b, n), Result(c.address + 4 * n, c.row), size, accumulate, ahead)
                n += 2 * PANEL
        while columns - n >= PANEL:
            ahead = pairs(a, right_from(b, n), Result(c.address + 4 * n, c.row), size, accumulate, ahead)
            n += PANEL
        if columns > n:
            singles(a, right_from(b, n), Result(c.address + 4 * n, c.row), size, accumulate, ahead)

    return multiply


def _any_product(fetches):
    if REGISTERS == 32:
        pairs, quads = _blocks(2, ROWS, fetches), _rows_of(4, 6, 4, fetches)
        return _product(pairs, _rows_of(1, 2 * ROWS, ROWS, fetches), quads)
    return _product(_rows_of(2, 6, ROWS, fetches), _rows_of(1, 2 * ROWS, ROWS, fetches))


_alone, _fetching = _any_product(False), _any_product(True)
_sevens, _nines = _product(_blocks(2, 7), _blocks(1, 7)), _product(_blocks(2, 9), _blocks(1, 9))


@spliced
def product(a, b, c, size, accumulate):
    """C (+)= A B of `size.rows` (a multiple of ROWS) times `size.columns` (a multiple of WIDTH).

    a: Left, b: Right, c: Result; where it is to `accumulate`, added to what is there. As
    an int64: else it would be compiled anew for literal ones.
    """
    _alone(a, b, c, size, np.int64(accumulate), Ahead(0, 0))


@spliced
def product_ahead(a, b, c, size, accumulate, ahead):
    """`product`, which fetches meanwhile what lies `ahead`."""
    _fetching(a, b, c, size, np.int64(accumulate), ahead)


if REGISTERS == 32:
    _halves = _product(_blocks(2, HALF), _blocks(1, HALF))
else:
    _halves = _alone


@spliced
def product_of_half(a, b, c, size, accumulate):
    """`product` of HALF rows."""
    _halves(a, b, c, size, np.int64(accumulate), Ahead(0, 0))


@inline
def product_of_window(a, b, c, size, accumulate):
    """`product` of as many rows as `window_block` says, and a panel of columns."""
    if REGISTERS == 32 and size.rows == 7:
        _sevens(a, b, c, Size(7, size.columns, size.outer, size.inner), accumulate, Ahead(0, 0))
    elif REGISTERS == 32 and size.rows == 9:
        _nines(a, b, c, Size(9, size.columns, size.outer, size.inner), accumulate, Ahead(0, 0))
    else:
        product(a, b, c, size, accumulate)
