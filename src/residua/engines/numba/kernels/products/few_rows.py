"""Products of few rows: bound by how fast B comes from memory, where its rows are read from end to end."""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.on_demand import cgutils, intrinsic, types
from residua.engines.numba.kernels.primitives.vector import (
    FLOAT,
    INT,
    WIDTH,
    broadcast,
    inline,
    multiply_add,
    offset,
    prefetch_line,
    read,
    write,
)

STEPS = 8  # rows of B at a time
FEW = 8  # rows of A at the most


def _multiply(rows, steps):
    """For so many rows of A, and of B."""

    @intrinsic
    def multiply(typing, a, inner, b, apart, c, c_row, columns):
        """C[m, 0 : columns] += the sum of A[m, i] * B[i, 0 : columns] over i < steps, one after the other.

        Rows of A are `inner` floats apart, of B `apart`, of C `c_row`; columns are whole vectors. What stands
        as many rows further down in B is fetched meanwhile.
        """

        def emit(context, builder, sig, args):
            pa, pb, pc = (builder.inttoptr(args[k], FLOAT.as_pointer()) for k in (0, 2, 4))
            inner, apart, c_row, columns = args[1], args[3], args[5], args[6]
            b_rows = [offset(builder, pb, builder.mul(apart, INT(i))) for i in range(steps)]
            c_rows = [offset(builder, pc, builder.mul(c_row, INT(m))) for m in range(rows)]
            ahead = builder.mul(apart, INT(4 * steps))

            def factor(m, i):
                place = offset(builder, offset(builder, pa, builder.mul(inner, INT(m))), i)
                return broadcast(builder, builder.load(place))

            # Of one row they stay in registers, of several they are read as they are needed.
            kept = [factor(0, i) for i in range(steps)] if rows == 1 else None
            with cgutils.for_range(builder, builder.udiv(columns, INT(WIDTH))) as vectors:
                at = builder.mul(vectors.index, INT(WIDTH))
                places = [offset(builder, row, at) for row in b_rows]
                for place in places:
                    prefetch_line(builder, builder.add(builder.ptrtoint(place, INT), ahead))
                numbers = [read(builder, place) for place in places]
                for m in range(rows):
                    place = offset(builder, c_rows[m], at)
                    total = read(builder, place)
                    for i in range(steps):
                        x = kept[i] if kept is not None else factor(m, i)
                        total = multiply_add(builder, x, numbers[i], total)
                    write(builder, total, place)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 7), emit

    return multiply


_one, _two, _four, _eight = (_multiply(rows, STEPS) for rows in (1, 2, 4, 8))
_one_step = _multiply(1, 1)


def rows_together(count: int) -> int:
    """How many rows are multiplied for so few: 1, 2, 4 or 8."""
    return 8 if count > 4 else 4 if count > 2 else count


rows_at_once = inline(rows_together)


@inline
def multiply_few(a, count, inner, b, apart, c, c_row, columns):
    """C (`rows_at_once` rows) += A B, where A has `inner` columns, and so many rows of B lie so far apart."""
    whole = inner - inner % STEPS
    rows = rows_at_once(count)
    for i in range(0, whole, STEPS):
        at, row = a + 4 * i, b + 4 * i * apart
        if rows == 1:
            _one(at, inner, row, apart, c, c_row, columns)
        elif rows == 2:
            _two(at, inner, row, apart, c, c_row, columns)
        elif rows == 4:
            _four(at, inner, row, apart, c, c_row, columns)
        else:
            _eight(at, inner, row, apart, c, c_row, columns)
    for i in range(whole, inner):
        for m in range(count):
            at = a + 4 * (m * inner + i)
            _one_step(at, inner, b + 4 * i * apart, apart, c + 4 * m * c_row, c_row, columns)
