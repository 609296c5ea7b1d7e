"""Matrix products of small blocks: the one micro-kernel that all convolutions end in.

    C[m, 0 : vectors WIDTH] (+)= sum over o, i of A[m am + o ao + i ai] * B[o bo + i bi + (0 : vectors WIDTH)]

for m < rows. The block of C stays in registers; each step reads `vectors` vectors of B and, for every row,
one number of A, which it multiplies with all of them. With different steps am, ao, ai, bo, bi this one sum
is the product of two matrices, of a transposed one, a convolution's window (o: its rows, i: its pixels and
channels, which lie side by side in memory) and a weight's gradient (o and i: the pixels).

Why these block sizes: a core starts two multiply-adds a cycle and each takes four, so at least eight
must be under way, and each number of A that is read should serve several. With 32 registers of 16 floats,
8 x 2 vectors or 16 x 1; with 16 registers, 6 x 2, 4 x 2 or 8 x 1.
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

if REGISTERS == 32:
    _pair = micro_kernel(ROWS, 2)
    _single, _half_single = micro_kernel(2 * ROWS, 1), micro_kernel(ROWS, 1)

    def _in_blocks_of(height):
        double, single = micro_kernel(height, 2), micro_kernel(height, 1)

        @inline
        def multiply(a, am, ao, ai, b, bo, bi, c, cm, rows, columns, outer, inner, more):
            n = 0
            while columns - n >= _PAIR:
                for m in range(0, rows, height):
                    to = c + 4 * (m * cm + n)
                    double(a + 4 * m * am, am, ao, ai, b + 4 * n, bo, bi, to, cm, outer, inner, more)
                n += _PAIR
            if columns > n:
                for m in range(0, rows, height):
                    to = c + 4 * (m * cm + n)
                    single(a + 4 * m * am, am, ao, ai, b + 4 * n, bo, bi, to, cm, outer, inner, more)

        return multiply

    _sevens, _nines = _in_blocks_of(7), _in_blocks_of(9)

    @inline
    def window_block(window, rows):
        """Of `window` rows, how many `product_of_window` may be given at a time: sevens one by one."""
        return 7 if rows != window and window % 7 == 0 else window

    @inline
    def product_of_window(window, a, am, ao, ai, b, bo, bi, c, cm, rows, columns, outer, inner, more):
        """`product` of `window` rows where sevens or nines fit and eights do not; of `rows` elsewhere.

        A row of a 7x7 kernel on RGB pixels is 21 numbers, of a 3x3 kernel 9: in eights, up to half of the
        work would be for nothing.
        """
        if rows != window and window % 7 == 0:
            _sevens(a, am, ao, ai, b, bo, bi, c, cm, window, columns, outer, inner, more)
        elif rows != window and window % 9 == 0:
            _nines(a, am, ao, ai, b, bo, bi, c, cm, window, columns, outer, inner, more)
        else:
            product(a, am, ao, ai, b, bo, bi, c, cm, rows, columns, outer, inner, more)

    @inline
    def product(a, am, ao, ai, b, bo, bi, c, cm, rows, columns, outer, inner, more):
        """C of `rows` (a multiple of ROWS) times `columns` (a multiple of WIDTH)."""
        n = 0
        while columns - n >= _PAIR:
            for m in range(0, rows, ROWS):
                to = c + 4 * (m * cm + n)
                _pair(a + 4 * m * am, am, ao, ai, b + 4 * n, bo, bi, to, cm, outer, inner, more)
            n += _PAIR
        if columns > n:
            m = 0
            while rows - m >= 2 * ROWS:
                to = c + 4 * (m * cm + n)
                _single(a + 4 * m * am, am, ao, ai, b + 4 * n, bo, bi, to, cm, outer, inner, more)
                m += 2 * ROWS
            if rows > m:
                to = c + 4 * (m * cm + n)
                _half_single(a + 4 * m * am, am, ao, ai, b + 4 * n, bo, bi, to, cm, outer, inner, more)

else:
    _large_pair, _pair = micro_kernel(6, 2), micro_kernel(ROWS, 2)
    _single, _half_single = micro_kernel(2 * ROWS, 1), micro_kernel(ROWS, 1)

    @inline
    def product(a, am, ao, ai, b, bo, bi, c, cm, rows, columns, outer, inner, more):
        """C of `rows` (a multiple of ROWS) times `columns` (a multiple of WIDTH)."""
        n = 0
        while columns - n >= _PAIR:
            m = 0
            # 16 rows are best cut into 6 + 6 + 4, and 8 into 4 + 4.
            while rows - m >= 6 and rows - m != 2 * ROWS:
                to = c + 4 * (m * cm + n)
                _large_pair(a + 4 * m * am, am, ao, ai, b + 4 * n, bo, bi, to, cm, outer, inner, more)
                m += 6
            while rows - m > 0:
                to = c + 4 * (m * cm + n)
                _pair(a + 4 * m * am, am, ao, ai, b + 4 * n, bo, bi, to, cm, outer, inner, more)
                m += ROWS
            n += _PAIR
        if columns > n:
            m = 0
            while rows - m >= 2 * ROWS:
                to = c + 4 * (m * cm + n)
                _single(a + 4 * m * am, am, ao, ai, b + 4 * n, bo, bi, to, cm, outer, inner, more)
                m += 2 * ROWS
            while rows - m > 0:
                to = c + 4 * (m * cm + n)
                _half_single(a + 4 * m * am, am, ao, ai, b + 4 * n, bo, bi, to, cm, outer, inner, more)
                m += ROWS

    @inline
    def window_block(window, rows):
        """Of `window` rows, how many `product_of_window` may be given at a time: all."""
        return window

    @inline
    def product_of_window(window, a, am, ao, ai, b, bo, bi, c, cm, rows, columns, outer, inner, more):
        """`product`: with these registers, a few rows for nothing cost no more than other blocks."""
        product(a, am, ao, ai, b, bo, bi, c, cm, rows, columns, outer, inner, more)
