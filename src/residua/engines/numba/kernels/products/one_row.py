"""The product of one row: bound by how fast B comes from memory, which is read once, from end to end."""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.on_demand import cgutils, intrinsic, types
from residua.engines.numba.kernels.primitives.vector import (
    FLOAT,
    INT,
    REGISTERS,
    WIDTH,
    broadcast,
    constant,
    multiply_add,
    offset,
    prefetch_line,
    read,
    write,
)

VECTORS = REGISTERS // 2
COLUMNS = VECTORS * WIDTH
AHEAD = 12  # rows of B that are asked for before they are read


@intrinsic
def multiply_row(typing, a, b, apart, c, count):
    """C[0 : COLUMNS] = the sum of A[i] * B[i apart + (0 : COLUMNS)] over i < count, one after the other."""

    def emit(context, builder, sig, args):
        pa, pb, pc = (builder.inttoptr(args[k], FLOAT.as_pointer()) for k in (0, 1, 3))
        apart, count = args[2], args[4]
        sums = [cgutils.alloca_once_value(builder, constant(0.0)) for _ in range(VECTORS)]
        with cgutils.for_range(builder, count) as i:
            row = offset(builder, pb, builder.mul(i.index, apart))
            ahead = builder.mul(builder.add(i.index, INT(AHEAD)), apart)
            x = broadcast(builder, builder.load(offset(builder, pa, i.index)))
            for v, total in enumerate(sums):
                if WIDTH * v % 16 == 0:
                    line = builder.add(args[1], builder.mul(INT(4), builder.add(ahead, INT(WIDTH * v))))
                    prefetch_line(builder, line)
                column = read(builder, offset(builder, row, WIDTH * v))
                builder.store(multiply_add(builder, x, column, builder.load(total)), total)
        for v, total in enumerate(sums):
            write(builder, builder.load(total), offset(builder, pc, WIDTH * v))
        return context.get_dummy_value()

    return types.void(*[types.int64] * 5), emit
