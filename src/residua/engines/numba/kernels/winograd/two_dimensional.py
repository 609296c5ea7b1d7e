"""Transforms in two dimensions: rows of vectors by one matrix, then each row's columns by another.

The rows are made in groups (which rows go in, the matrix' part, which rows come out): all vectors at once do
not fit into the registers, and reading a row again costs less than saving vectors to the stack.
"""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.primitives.on_demand import cgutils, intrinsic, types
from residua.engines.numba.kernels.primitives.vector import (
    FLOAT,
    INT,
    constant,
    multiply_add,
    offset,
    read,
    write,
)


class Algebra:
    """Vector arithmetic on LLVM values, so that the matrices of `transforms` read like formulas."""

    def __init__(self, builder):
        self.builder = builder

    def add(self, x, y):
        """x + y."""
        return self.builder.fadd(x, y)

    def sub(self, x, y):
        """x - y."""
        return self.builder.fsub(x, y)

    def mul(self, factor, x):
        """factor x."""
        return self.builder.fmul(constant(factor), x)

    def fma(self, factor, x, y):
        """factor x + y."""
        return multiply_add(self.builder, constant(factor), x, y)


def one_row(row):
    """A row that goes through as it is."""
    return ((row,), lambda f, d: [d[row]])


def _two_dimensions(f, groups, matrix, columns, fetch, put):
    """Rows by the groups, then each row by the whole matrix; `put(row, vectors)` takes the result."""
    for rows, part, results in groups:
        half = [part(f, {i: fetch(i, j) for i in rows}) for j in range(columns)]
        for place, row in enumerate(results):
            put(row, matrix(f, [column[place] for column in half]))


class Grid(NamedTuple):
    """A square of vectors: where the first lies, and how many floats rows and columns are apart."""

    address: int
    row: int
    column: int


def _pointer(builder, place):
    return builder.inttoptr(place, FLOAT.as_pointer())


def _grid(builder, address, row, column):
    pointer = _pointer(builder, address)
    return lambda i, j: offset(
        builder, pointer, builder.add(builder.mul(row, INT(i)), builder.mul(column, INT(j)))
    )


def two_dimensional(groups, matrix, size, result, *, finish=None, lap=0):
    """An intrinsic: result x result vectors of one `Grid` from size x size of another.

    `finish` says what happens to them: None, they are stored; "add", they are added to what is there, but in
    the first `lap` rows and columns alone, which the tiles before have written to; the others are stored;
    "statistics", their sum and the sum of their squares are also added to two vectors, at `vectors_at` and
    `gap` floats further on; "bias", the first of the two is added and what is below the second raised to it.
    """

    @intrinsic
    def transform(typing, a, b, vectors_at, gap):
        def emit(context, builder, sig, args):
            f = Algebra(builder)
            first = _pointer(builder, args[2])
            second = offset(builder, first, args[3])
            source, target = (_grid(builder, *cgutils.unpack_tuple(builder, grid)) for grid in args[:2])
            rows = []
            if finish == "bias":
                bias, low = read(builder, first), read(builder, second)

            def put(row, vectors):
                for j, v in enumerate(vectors):
                    place = target(row, j)
                    if finish == "add" and min(row, j) < lap:
                        v = f.add(v, read(builder, place))
                    elif finish == "bias":
                        v = f.add(v, bias)
                        v = builder.select(builder.fcmp_ordered(">", low, v), low, v)
                    write(builder, v, place)
                if finish == "statistics":
                    rows.append((_tree(f, vectors), _squares(builder, vectors)))

            _two_dimensions(f, groups, matrix, size, lambda i, j: read(builder, source(i, j)), put)
            if finish == "statistics":
                for place, totals in zip((first, second), zip(*rows, strict=True), strict=True):
                    write(builder, f.add(_tree(f, totals), read(builder, place)), place)
            return context.get_dummy_value()

        return types.void(a, b, types.int64, types.int64), emit

    return transform


def two_dimensional_affine(groups, matrix, size):
    """As `two_dimensional`, of a x + b y + c for two grids x and y; vectors a, b and c lie `gap` floats apart
    at `factors`."""

    @intrinsic
    def transform(typing, x, y, result, factors, gap):
        def emit(context, builder, sig, args):
            f = Algebra(builder)
            of_x, of_y, target = (_grid(builder, *cgutils.unpack_tuple(builder, grid)) for grid in args[:3])
            first = _pointer(builder, args[3])
            a, b, c = (read(builder, offset(builder, first, builder.mul(args[4], INT(k)))) for k in range(3))

            def fetch(i, j):
                vectors_at = multiply_add(builder, b, read(builder, of_y(i, j)), c)
                return multiply_add(builder, a, read(builder, of_x(i, j)), vectors_at)

            def put(row, vectors):
                for j, v in enumerate(vectors):
                    write(builder, v, target(row, j))

            _two_dimensions(f, groups, matrix, size, fetch, put)
            return context.get_dummy_value()

        return types.void(x, y, result, types.int64, types.int64), emit

    return transform


def _tree(f, vectors):
    """Their sum, in pairs: a chain of additions would wait for each."""
    while len(vectors) > 1:
        odd = vectors[-1:] if len(vectors) % 2 else ()
        vectors = [*(f.add(x, y) for x, y in zip(vectors[::2], vectors[1::2], strict=False)), *odd]
    return vectors[0]


def _squares(builder, vectors):
    total = builder.fmul(vectors[0], vectors[0])
    for v in vectors[1:]:
        total = multiply_add(builder, v, v, total)
    return total
