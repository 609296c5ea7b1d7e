"""Matrix products of any size, put together from micro-kernels."""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.primitives.vector import (
    REGISTERS,
    inline,
    spliced,
)
from residua.engines.numba.kernels.products.blocks import BLOCK, PANEL, ROWS
from residua.engines.numba.kernels.products.micro_kernel import micro_kernel


def _rows_of(vectors, tall, low, fetches=False):
    """So many vectors of columns, in blocks of `tall` rows, and of `low` ones where those do not fit."""
    many, few = micro_kernel(tall, vectors, fetches), micro_kernel(low, vectors, fetches)

    @inline
    def multiply(a, am, ao, ai, b, bo, bi, c, cm, rows, outer, inner, more, ahead, pace):
        m = 0
        # 16 rows are best cut into 6 + 6 + 4, and 8 into 4 + 4.
        while rows - m >= tall and (tall % low == 0 or rows - m != 2 * low):
            to = c + 4 * m * cm
            many(a + 4 * m * am, am, ao, ai, b, bo, bi, to, cm, outer, inner, more, ahead, pace)
            m += tall
            ahead += pace * outer * inner
        while rows - m > 0:
            to = c + 4 * m * cm
            few(a + 4 * m * am, am, ao, ai, b, bo, bi, to, cm, outer, inner, more, ahead, pace)
            m += low
            ahead += pace * outer * inner
        return ahead

    return multiply


def _blocks(vectors, height, fetches=False):
    """As `_rows_of`, of blocks of one height alone."""
    block = micro_kernel(height, vectors, fetches)

    @inline
    def multiply(a, am, ao, ai, b, bo, bi, c, cm, rows, outer, inner, more, ahead, pace):
        for m in range(0, rows, height):
            to = c + 4 * m * cm
            block(a + 4 * m * am, am, ao, ai, b, bo, bi, to, cm, outer, inner, more, ahead, pace)
            ahead += pace * outer * inner
        return ahead

    return multiply


def _product(pairs, singles, quads=None):
    """Two vectors of columns at a time, and the last by itself; with `quads`, four, for 16 rows or more."""
    fours = quads is not None
    quads = quads or pairs

    @inline
    def multiply(a, am, ao, ai, b, bo, bi, c, cm, rows, columns, outer, inner, more, ahead, pace):
        n = 0
        if fours and rows >= BLOCK:
            while columns - n >= 2 * PANEL:
                to = c + 4 * n
                ahead = quads(a, am, ao, ai, b + 4 * n, bo, bi, to, cm, rows, outer, inner, more, ahead, pace)
                n += 2 * PANEL
        while columns - n >= PANEL:
            to = c + 4 * n
            ahead = pairs(a, am, ao, ai, b + 4 * n, bo, bi, to, cm, rows, outer, inner, more, ahead, pace)
            n += PANEL
        if columns > n:
            to = c + 4 * n
            singles(a, am, ao, ai, b + 4 * n, bo, bi, to, cm, rows, outer, inner, more, ahead, pace)

    return multiply


def _any_product(fetches):
    if REGISTERS == 32:
        pairs, quads = _blocks(2, ROWS, fetches), _rows_of(4, 6, 4, fetches)
        return _product(pairs, _rows_of(1, 2 * ROWS, ROWS, fetches), quads)
    return _product(_rows_of(2, 6, ROWS, fetches), _rows_of(1, 2 * ROWS, ROWS, fetches))


_alone, _fetching = _any_product(False), _any_product(True)
_sevens, _nines = _product(_blocks(2, 7), _blocks(1, 7)), _product(_blocks(2, 9), _blocks(1, 9))


@spliced
def product(a, am, ao, ai, b, bo, bi, c, cm, rows, columns, outer, inner, more):
    """C of `rows` (a multiple of ROWS) times `columns` (a multiple of WIDTH).

    All as int64: else it would be compiled anew for whichever are literal.
    """
    _alone(
        np.int64(a), np.int64(am), np.int64(ao), np.int64(ai), np.int64(b), np.int64(bo), np.int64(bi),
        np.int64(c), np.int64(cm), np.int64(rows), np.int64(columns), np.int64(outer), np.int64(inner),
        np.int64(more), np.int64(0), np.int64(0),
    )  # fmt: skip


@spliced
def product_ahead(a, am, ao, ai, b, bo, bi, c, cm, rows, columns, outer, inner, more, ahead, pace):
    """`product`, which fetches meanwhile what lies at `ahead`, at `pace_of`."""
    _fetching(
        np.int64(a), np.int64(am), np.int64(ao), np.int64(ai), np.int64(b), np.int64(bo), np.int64(bi),
        np.int64(c), np.int64(cm), np.int64(rows), np.int64(columns), np.int64(outer), np.int64(inner),
        np.int64(more), np.int64(ahead), np.int64(pace),
    )  # fmt: skip


@inline
def product_of_window(block, a, am, ao, ai, b, bo, bi, c, cm, columns, outer, inner, more):
    """`product` of as many rows as `window_block` says, and a panel of columns."""
    if REGISTERS == 32 and block == 7:
        _sevens(a, am, ao, ai, b, bo, bi, c, cm, 7, columns, outer, inner, more, 0, 0)
    elif REGISTERS == 32 and block == 9:
        _nines(a, am, ao, ai, b, bo, bi, c, cm, 9, columns, outer, inner, more, 0, 0)
    else:
        product(a, am, ao, ai, b, bo, bi, c, cm, block, columns, outer, inner, more)
