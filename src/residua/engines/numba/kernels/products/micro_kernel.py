"""Matrix products of small blocks: the one micro-kernel that all convolutions end in.

    C[m, 0 : vectors WIDTH] (+)= sum over o, i of A[m am + o ao + i ai] * B[o bo + i bi + (0 : vectors WIDTH)]

for m < rows. The block of C stays in registers; each step reads `vectors` vectors of B and, for every row,
one number of A, which it multiplies with all of them. With different steps am, ao, ai, bo, bi this one sum
is the product of two matrices, of a transposed one, a convolution's window (o: its rows, i: its pixels and
channels, which lie side by side in memory) and a weight's gradient (o and i: the pixels).

Why these block sizes: a core starts two multiply-adds a cycle and each takes four, so at least eight
must be under way, and each number of A that is read should serve several. With 32 registers of 16 floats,
6 x 4 vectors, 8 x 2 or 16 x 1; with 16 registers, 6 x 2, 4 x 2 or 8 x 1. Measured on an Intel Xeon, 6 x 4 is
7 per cent faster than 8 x 2, as long as there are more than 8 rows.
"""

from __future__ import annotations

import numpy as np
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from residua.engines.numba.kernels.primitives.vector import (
    FLOAT,
    INT,
    REGISTERS,
    VECTOR,
    WIDTH,
    ask_for,
    broadcast,
    constant,
    inline,
    multiply_add,
    offset,
    read,
    spliced,
    write,
)

# Rows of A come in multiples of this; what lies beyond the last valid row is computed and ignored.
ROWS = 8 if REGISTERS == 32 else 4
BLOCK = 2 * ROWS  # rows at a time that keep the registers busy
PANEL = 2 * WIDTH  # columns
WIDE = 4 * WIDTH if REGISTERS == 32 else PANEL  # columns, where there are BLOCK rows
LARGEST = 24 * WIDTH if REGISTERS == 32 else 12 * WIDTH  # floats of C in registers
DEEP = 256 * PANEL // WIDE  # steps: rows of B, so wide, that stay in the first-level cache


def micro_kernel(rows, vectors, fetches=False):
    """The micro-kernel of that block size; `more` says whether to add to C or to overwrite it.

    Where it `fetches`, it asks for the line at `ahead`, which every step moves on by `pace` bytes.
    """

    @intrinsic
    def multiply(typing, a, am, ao, ai, b, bo, bi, c, cm, outer, inner, more, ahead, pace):
        def emit(context, builder, sig, args):
            a, am, ao, ai, b, bo, bi, c, cm, outer, inner, more, ahead, pace = args
            pa, pb, pc = (builder.inttoptr(p, FLOAT.as_pointer()) for p in (a, b, c))
            row_offsets = [builder.mul(am, INT(m)) for m in range(rows)]
            row_starts = [offset(builder, pc, builder.mul(cm, INT(m))) for m in range(rows)]
            sums = [cgutils.alloca_once(builder, VECTOR) for _ in range(rows * vectors)]
            places = [(m, v, sums[m * vectors + v]) for m in range(rows) for v in range(vectors)]
            with builder.if_else(builder.icmp_signed("!=", more, INT(0))) as (then, otherwise):
                with then:
                    for m, v, total in places:
                        builder.store(read(builder, offset(builder, row_starts[m], WIDTH * v)), total)
                with otherwise:
                    for _, _, total in places:
                        builder.store(constant(0.0), total)
            with cgutils.for_range(builder, outer) as o:
                qa = offset(builder, pa, builder.mul(o.index, ao))
                qb = offset(builder, pb, builder.mul(o.index, bo))
                line = builder.add(ahead, builder.mul(pace, builder.mul(o.index, inner)))

                def step(index):
                    ra = offset(builder, qa, builder.mul(index, ai))
                    rb = offset(builder, qb, builder.mul(index, bi))
                    columns = [read(builder, offset(builder, rb, WIDTH * v)) for v in range(vectors)]
                    for m in range(rows):
                        x = broadcast(builder, builder.load(offset(builder, ra, row_offsets[m])))
                        for v in range(vectors):
                            total = sums[m * vectors + v]
                            builder.store(multiply_add(builder, x, columns[v], builder.load(total)), total)

                done = INT(0)
                if fetches:
                    # Every second step: a load for each would be felt where loads set the pace.
                    with cgutils.for_range(builder, builder.lshr(inner, INT(1))) as i:
                        first = builder.shl(i.index, INT(1))
                        ask_for(builder, builder.add(line, builder.mul(pace, first)))
                        with cgutils.for_range(builder, INT(2)) as j:
                            step(builder.add(first, j.index))
                    done = builder.and_(inner, INT(-2))
                with cgutils.for_range(builder, builder.sub(inner, done)) as i:
                    step(builder.add(done, i.index))
            for m, v, total in places:
                write(builder, builder.load(total), offset(builder, row_starts[m], WIDTH * v))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 14), emit

    return multiply


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


@spliced
def columns_at(first, columns, wide):
    """Columns of the panel that begins at `first`: a constant, with `columns` known, where all are whole.

    LLVM then compiles no blocks for other ones.
    """
    return wide if columns % wide == 0 else min(wide, columns - first)


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
def product_of_window(block, a, am, ao, ai, b, bo, bi, c, cm, columns, outer, inner, more):
    """`product` of as many rows as `window_block` says, and a panel of columns."""
    if REGISTERS == 32 and block == 7:
        _sevens(a, am, ao, ai, b, bo, bi, c, cm, 7, columns, outer, inner, more, 0, 0)
    elif REGISTERS == 32 and block == 9:
        _nines(a, am, ao, ai, b, bo, bi, c, cm, 9, columns, outer, inner, more, 0, 0)
    else:
        product(a, am, ao, ai, b, bo, bi, c, cm, block, columns, outer, inner, more)
