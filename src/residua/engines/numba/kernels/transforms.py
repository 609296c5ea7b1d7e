"""The tile transforms of Winograd's convolution F(4x4, 3x3) (Lavin and Gray 2016, arXiv 1509.09308).

A 3x3 convolution of a 6x6 patch gives a 4x4 tile of output. With polynomials through six points
(Toom and Cook) it becomes 36 products instead of 144:

    Y = A^T [ (G g G^T) * (B^T d B) ] A          * multiplies element by element

d the patch, g the kernel, Y the tile. Over many channels the 36 products are 36 matrix products. For the
backward pass the same matrices serve, transposed: dM = A dY A^T, dg = G^T [V * dM] G, dd = B [U * dM] B^T.

The points are 0, +-2/3, +-3/2 and infinity. The textbook's 0, +-1, +-2 lose four times as many digits:
measured, the largest error of a layer is then 5e-6 to 8e-6 of the largest value instead of 1e-6 to 2e-6,
for 1 to 3 per cent of the time.

The points come in pairs of opposite sign, so sums over even and odd powers are shared; each function below
does one matrix times one column of vectors. In two dimensions the rows are made in groups: all 36 vectors
at once do not fit into the registers, and reading a row again costs less than saving vectors to the stack.
"""

from __future__ import annotations

from numba import types
from numba.extending import intrinsic

from residua.engines.numba.kernels.vector import (
    FLOAT,
    INT,
    REGISTERS,
    constant,
    multiply_add,
    offset,
    read,
    write,
)

TILE = 4  # pixels of output along each side of a tile
PATCH = 6  # pixels of input that they depend on
PLACES = PATCH * PATCH

P, Q = 2 / 3, 3 / 2
P2, Q2, P3, Q3 = P * P, Q * Q, P**3, Q**3
S2 = P2 + Q2
# The norms of the Lagrange polynomials of +-P and +-Q.
NP, NQ = 2 * P2 * (P2 - Q2), 2 * Q2 * (Q2 - P2)


class Algebra:
    """Vector arithmetic on LLVM values, so that the matrices below read like formulas."""

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


# ---------------------------------------------------------------- B^T: patch -> products' input
# The odd sums carry their factor, so that both ends are one addition: processors with units of their own
# for additions have them idle otherwise.
def patch_p(f, d):
    """The places of +P and -P."""
    even, odd = f.fma(-Q2, d[2], d[4]), f.fma(-P * Q2, d[1], f.mul(P, d[3]))
    return [f.add(even, odd), f.sub(even, odd)]


def patch_q(f, d):
    """The places of +Q and -Q."""
    even, odd = f.fma(-P2, d[2], d[4]), f.fma(-Q * P2, d[1], f.mul(Q, d[3]))
    return [f.add(even, odd), f.sub(even, odd)]


def patch_first(f, d):
    """The place of 0."""
    return [f.fma(-S2, d[2], f.add(d[0], d[4]))]


def _patch_last(f, d):
    return [f.fma(-S2, d[3], f.add(d[1], d[5]))]


def patch(f, d):
    """B^T d."""
    return patch_first(f, d) + patch_p(f, d) + patch_q(f, d) + _patch_last(f, d)


# ---------------------------------------------------------------- A^T: products -> tile
def _tile_even(f, m):
    p, q = f.add(m[1], m[2]), f.add(m[3], m[4])
    return [f.add(f.add(m[0], p), q), f.fma(P2, p, f.mul(Q2, q))]


def _tile_odd(f, m):
    p, q = f.sub(m[1], m[2]), f.sub(m[3], m[4])
    return [f.fma(P, p, f.mul(Q, q)), f.fma(P3, p, f.fma(Q3, q, m[5]))]


def tile(f, m):
    """A^T m."""
    (y0, y2), (y1, y3) = _tile_even(f, m), _tile_odd(f, m)
    return [y0, y1, y2, y3]


# ---------------------------------------------------------------- A: gradient of the tile -> of the products
def spread_p(f, y):
    """The places of +P and -P."""
    even, odd = f.fma(P2, y[2], y[0]), f.fma(P3, y[3], f.mul(P, y[1]))
    return [f.add(even, odd), f.sub(even, odd)]


def spread_q(f, y):
    """The places of +Q and -Q."""
    even, odd = f.fma(Q2, y[2], y[0]), f.fma(Q3, y[3], f.mul(Q, y[1]))
    return [f.add(even, odd), f.sub(even, odd)]


def spread(f, y):
    """A y."""
    return [y[0], *spread_p(f, y), *spread_q(f, y), y[3]]


# ---------------------------------------------------------------- B: gradient of that input -> of the patch
def _patch_back_even(f, m):
    p, q, first = f.add(m[1], m[2]), f.add(m[3], m[4]), f.mul(-S2, m[0])
    return [f.fma(-Q2, p, f.fma(-P2, q, first)), f.add(f.add(m[0], p), q)]


def _patch_back_odd(f, m):
    p, q = f.sub(m[1], m[2]), f.sub(m[3], m[4])
    return [f.fma(-P * Q2, p, f.fma(-Q * P2, q, m[5])), f.fma(P, p, f.fma(Q, q, f.mul(-S2, m[5])))]


def patch_back(f, m):
    """B m."""
    (d2, d4), (d1, d3) = _patch_back_even(f, m), _patch_back_odd(f, m)
    return [m[0], d1, d2, d3, d4, m[5]]


# ---------------------------------------------------------------- G and G^T: the kernel
def kernel(f, g):
    """G g."""
    p, q = f.fma(P2, g[2], g[0]), f.fma(Q2, g[2], g[0])
    return [
        g[0],
        f.mul(1 / NP, f.fma(P, g[1], p)),
        f.mul(1 / NP, f.fma(-P, g[1], p)),
        f.mul(1 / NQ, f.fma(Q, g[1], q)),
        f.mul(1 / NQ, f.fma(-Q, g[1], q)),
        g[2],
    ]


def kernel_back(f, u):
    """G^T u."""
    p, q, r, s = f.add(u[1], u[2]), f.add(u[3], u[4]), f.sub(u[1], u[2]), f.sub(u[3], u[4])
    return [
        f.fma(1 / NP, p, f.fma(1 / NQ, q, u[0])),
        f.fma(P / NP, r, f.mul(Q / NQ, s)),
        f.fma(P2 / NP, p, f.fma(Q2 / NQ, q, u[5])),
    ]


# ---------------------------------------------------------------- two dimensions
# Which rows go in, the matrix' part, which rows come out.
if REGISTERS == 32:
    _PATCH_GROUPS = (
        ((1, 2, 3, 4), lambda f, d: patch_p(f, d) + patch_q(f, d), (1, 2, 3, 4)),
        ((0, 1, 2, 3, 4, 5), lambda f, d: patch_first(f, d) + _patch_last(f, d), (0, 5)),
    )
    _TILE_GROUPS = ((range(6), tile, range(4)),)
    _SPREAD_GROUPS = ((range(4), lambda f, y: spread_p(f, y) + spread_q(f, y), (1, 2, 3, 4)),)
    _BACK_GROUPS = ((range(6), lambda f, m: patch_back(f, m)[1:5], (1, 2, 3, 4)),)
else:
    _PATCH_GROUPS = (
        ((1, 2, 3, 4), patch_p, (1, 2)),
        ((1, 2, 3, 4), patch_q, (3, 4)),
        ((0, 2, 4), patch_first, (0,)),
        ((1, 3, 5), _patch_last, (5,)),
    )
    _TILE_GROUPS = ((range(5), _tile_even, (0, 2)), (range(1, 6), _tile_odd, (1, 3)))
    _SPREAD_GROUPS = ((range(4), spread_p, (1, 2)), (range(4), spread_q, (3, 4)))
    _BACK_GROUPS = ((range(1, 6), _patch_back_odd, (1, 3)), (range(5), _patch_back_even, (2, 4)))


def one_row(row):
    """A row that goes through as it is."""
    return ((row,), lambda f, d: [d[row]])


_SPREAD_GROUPS += ((*one_row(0), (0,)), (*one_row(3), (5,)))
_BACK_GROUPS += ((*one_row(0), (0,)), (*one_row(5), (5,)))
_KERNEL_GROUPS = ((range(3), kernel, range(6)),)
_KERNEL_BACK_GROUPS = ((range(6), kernel_back, range(3)),)


def _two_dimensions(f, groups, matrix, columns, fetch, put):
    """Rows by the groups, then each row by the whole matrix; `put(row, vectors)` takes the result."""
    for rows, part, made in groups:
        half = [part(f, {i: fetch(i, j) for i in rows}) for j in range(columns)]
        for place, row in enumerate(made):
            put(row, matrix(f, [column[place] for column in half]))


def _grid(builder, pointer, row_step, column_step):
    return lambda i, j: offset(
        builder, pointer, builder.add(builder.mul(row_step, INT(i)), builder.mul(column_step, INT(j)))
    )


def two_dimensional(groups, matrix, size, result, *, finish=None, lap=0):
    """An intrinsic: result x result vectors from size x size, each at base + row step i + column step j.

    `finish` says what happens to them: None, they are stored; "add", they are added to what is there, but in
    the first `lap` rows and columns alone, which the tiles before have written to; the others are stored;
    "statistics", their sum and the sum of their squares are also added to the vectors at `more` and
    `more + gap`; "bias", the vector at `more` is added and what is below the vector at `more + gap` raised
    to it.
    """

    @intrinsic
    def transform(typing, a, a_row, a_column, b, b_row, b_column, more, gap):
        def emit(context, builder, sig, args):
            f = Algebra(builder)
            pa, pb, first = (builder.inttoptr(args[k], FLOAT.as_pointer()) for k in (0, 3, 6))
            second = offset(builder, first, args[7])
            source = _grid(builder, pa, args[1], args[2])
            target = _grid(builder, pb, args[4], args[5])
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

        return types.void(*[types.int64] * 8), emit

    return transform


def _tree(f, vectors):
    """Their sum, in pairs: a chain of additions would wait for each."""
    while len(vectors) > 1:
        vectors = [f.add(x, y) for x, y in zip(vectors[::2], vectors[1::2], strict=True)]
    return vectors[0]


def _squares(builder, vectors):
    total = builder.fmul(vectors[0], vectors[0])
    for v in vectors[1:]:
        total = multiply_add(builder, v, v, total)
    return total


patch_2d = two_dimensional(_PATCH_GROUPS, patch, PATCH, PATCH)
tile_2d = two_dimensional(_TILE_GROUPS, tile, PATCH, TILE)
tile_2d_bias = two_dimensional(_TILE_GROUPS, tile, PATCH, TILE, finish="bias")
tile_2d_statistics = two_dimensional(_TILE_GROUPS, tile, PATCH, TILE, finish="statistics")
spread_2d = two_dimensional(_SPREAD_GROUPS, spread, TILE, PATCH)
patch_back_2d = two_dimensional(_BACK_GROUPS, patch_back, PATCH, PATCH, finish="add", lap=2)
kernel_2d = two_dimensional(_KERNEL_GROUPS, kernel, 3, PATCH)
kernel_back_2d = two_dimensional(_KERNEL_BACK_GROUPS, kernel_back, PATCH, 3)
