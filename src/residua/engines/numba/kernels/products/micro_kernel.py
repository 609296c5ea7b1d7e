"""Matrix products of small blocks: the one micro-kernel that all convolutions end in.

    C[m, 0 : vectors WIDTH] (+)= sum over o, i of A[m am + o ao + i ai] * B[o bo + i bi + (0 : vectors WIDTH)]

for m < rows. The block of C stays in registers; each step reads `vectors` vectors of B and, for every row,
one number of A, which it multiplies with all of them. With different steps am, ao, ai, bo, bi this one sum
is the product of two matrices, of a transposed one, a convolution's window (o: its rows, i: its pixels and
channels, which lie side by side in memory) and a weight's gradient (o and i: the pixels).
"""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.on_demand import cgutils, intrinsic, types
from residua.engines.numba.kernels.primitives.vector import (
    FLOAT,
    INT,
    VECTOR,
    WIDTH,
    broadcast,
    constant,
    multiply_add,
    offset,
    prefetch_line,
    read,
    write,
)


def micro_kernel(rows, vectors, fetches=False):
    """The micro-kernel of that block size; `accumulate` says whether to add to C or to overwrite it.

    Where it `fetches`, it asks for the line at `ahead`, which every step moves on by `pace` bytes.
    """

    @intrinsic
    def multiply(typing, a, b, c, outer, inner, accumulate, ahead):
        def emit(context, builder, sig, args):
            (a, am, ao, ai), (b, bo, bi), (c, cm) = (cgutils.unpack_tuple(builder, arg) for arg in args[:3])
            outer, inner, accumulate = args[3:6]
            ahead, pace = cgutils.unpack_tuple(builder, args[6])
            pa, pb, pc = (builder.inttoptr(p, FLOAT.as_pointer()) for p in (a, b, c))
            row_offsets = [builder.mul(am, INT(m)) for m in range(rows)]
            row_starts = [offset(builder, pc, builder.mul(cm, INT(m))) for m in range(rows)]
            sums = [cgutils.alloca_once(builder, VECTOR) for _ in range(rows * vectors)]
            cells = [(m, v, sums[m * vectors + v]) for m in range(rows) for v in range(vectors)]
            with builder.if_else(builder.icmp_signed("!=", accumulate, INT(0))) as (then, otherwise):
                with then:
                    for m, v, total in cells:
                        builder.store(read(builder, offset(builder, row_starts[m], WIDTH * v)), total)
                with otherwise:
                    for _, _, total in cells:
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
                        prefetch_line(builder, builder.add(line, builder.mul(pace, first)))
                        with cgutils.for_range(builder, INT(2)) as j:
                            step(builder.add(first, j.index))
                    done = builder.and_(inner, INT(-2))
                with cgutils.for_range(builder, builder.sub(inner, done)) as i:
                    step(builder.add(done, i.index))
            for m, v, total in cells:
                write(builder, builder.load(total), offset(builder, row_starts[m], WIDTH * v))
            return context.get_dummy_value()

        return types.void(a, b, c, outer, inner, accumulate, ahead), emit

    return multiply
