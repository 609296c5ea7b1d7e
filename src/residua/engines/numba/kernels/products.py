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

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from residua.engines.numba.kernels.vector import (
    FLOAT,
    INT,
    REGISTERS,
    VECTOR,
    WIDTH,
    broadcast,
    constant,
    inline,
    multiply_add,
    offset,
    read,
    write,
)

# Rows of A come in multiples of this; what lies beyond the last valid row is computed and ignored.
ROWS = 8 if REGISTERS == 32 else 4


def micro_kernel(rows, vectors):
    """The micro-kernel of that block size; `more` says whether to add to C or to overwrite it."""

    @intrinsic
    def multiply(typing, a, am, ao, ai, b, bo, bi, c, cm, outer, inner, more):
        def emit(context, builder, sig, args):
            a, am, ao, ai, b, bo, bi, c, cm, outer, inner, more = args
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
                with cgutils.for_range(builder, inner) as i:
                    ra = offset(builder, qa, builder.mul(i.index, ai))
                    rb = offset(builder, qb, builder.mul(i.index, bi))
                    columns = [read(builder, offset(builder, rb, WIDTH * v)) for v in range(vectors)]
                    for m in range(rows):
                        x = broadcast(builder, builder.load(offset(builder, ra, row_offsets[m])))
                        for v in range(vectors):
                            total = sums[m * vectors + v]
                            builder.store(multiply_add(builder, x, columns[v], builder.load(total)), total)
            for m, v, total in places:
                write(builder, builder.load(total), offset(builder, row_starts[m], WIDTH * v))
            return context.get_dummy_value()

        return types.void(*[types.int64] * 12), emit

    return multiply


_PAIR = 2 * WIDTH


def _rows_of(vectors, tall, low):
    """So many vectors of columns, in blocks of `tall` rows, and of `low` ones where those do not fit."""
    many, few = micro_kernel(tall, vectors), micro_kernel(low, vectors)

    @inline
    def multiply(a, am, ao, ai, b, bo, bi, c, cm, rows, outer, inner, more):
        m = 0
        # 16 rows are best cut into 6 + 6 + 4, and 8 into 4 + 4.
        while rows - m >= tall and (tall % low == 0 or rows - m != 2 * low):
            many(a + 4 * m * am, am, ao, ai, b, bo, bi, c + 4 * m * cm, cm, outer, inner, more)
            m += tall
        while rows - m > 0:
            few(a + 4 * m * am, am, ao, ai, b, bo, bi, c + 4 * m * cm, cm, outer, inner, more)
            m += low

    return multiply


def _blocks(vectors, height):
    """As `_rows_of`, of blocks of one height alone."""
    block = micro_kernel(height, vectors)

    @inline
    def multiply(a, am, ao, ai, b, bo, bi, c, cm, rows, outer, inner, more):
        for m in range(0, rows, height):
            block(a + 4 * m * am, am, ao, ai, b, bo, bi, c + 4 * m * cm, cm, outer, inner, more)

    return multiply


def _product(pairs, singles, quads=None):
    """Two vectors of columns at a time, and the last by itself; with `quads`, four, for 16 rows or more."""
    fours = quads is not None
    quads = quads or pairs

    @inline
    def multiply(a, am, ao, ai, b, bo, bi, c, cm, rows, columns, outer, inner, more):
        n = 0
        if fours and rows >= 2 * ROWS:
            while columns - n >= 2 * _PAIR:
                quads(a, am, ao, ai, b + 4 * n, bo, bi, c + 4 * n, cm, rows, outer, inner, more)
                n += 2 * _PAIR
        while columns - n >= _PAIR:
            pairs(a, am, ao, ai, b + 4 * n, bo, bi, c + 4 * n, cm, rows, outer, inner, more)
            n += _PAIR
        if columns > n:
            singles(a, am, ao, ai, b + 4 * n, bo, bi, c + 4 * n, cm, rows, outer, inner, more)

    return multiply


# C of `rows` (a multiple of ROWS) times `columns` (a multiple of WIDTH).
if REGISTERS == 32:
    product = _product(_blocks(2, ROWS), _rows_of(1, 2 * ROWS, ROWS), _rows_of(4, 6, 4))
else:
    product = _product(_rows_of(2, 6, ROWS), _rows_of(1, 2 * ROWS, ROWS))

_sevens = _product(_blocks(2, 7), _blocks(1, 7))
_nines = _product(_blocks(2, 9), _blocks(1, 9))


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
    """`product` of as many rows as `window_block` says."""
    if REGISTERS == 32 and block == 7:
        _sevens(a, am, ao, ai, b, bo, bi, c, cm, 7, columns, outer, inner, more)
    elif REGISTERS == 32 and block == 9:
        _nines(a, am, ao, ai, b, bo, bi, c, cm, 9, columns, outer, inner, more)
    else:
        product(a, am, ao, ai, b, bo, bi, c, cm, block, columns, outer, inner, more)
