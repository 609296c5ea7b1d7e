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
does one matrix times one column of vectors (`f` is `two_dimensional.Algebra`). `two_dimensional` makes two
dimensions of it.
"""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.vector import REGISTERS
from residua.engines.numba.kernels.winograd.two_dimensional import (
    one_row,
    two_dimensional,
    two_dimensional_affine,
)

TILE = 4  # pixels of output along each side of a tile
PATCH = 6  # pixels of input that they depend on
PLACES = PATCH * PATCH

P, Q = 2 / 3, 3 / 2
P2, Q2, P3, Q3 = P * P, Q * Q, P**3, Q**3
S2 = P2 + Q2
# The norms of the Lagrange polynomials of +-P and +-Q.
NP, NQ = 2 * P2 * (P2 - Q2), 2 * Q2 * (Q2 - P2)


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


def patch_last(f, d):
    """The place of infinity."""
    return [f.fma(-S2, d[3], f.add(d[1], d[5]))]


def patch(f, d):
    """B^T d."""
    return patch_first(f, d) + patch_p(f, d) + patch_q(f, d) + patch_last(f, d)


# ---------------------------------------------------------------- A^T: products -> tile
def tile_even(f, m):
    """Pixels 0 and 2."""
    p, q = f.add(m[1], m[2]), f.add(m[3], m[4])
    return [f.add(f.add(m[0], p), q), f.fma(P2, p, f.mul(Q2, q))]


def tile_odd(f, m):
    """Pixels 1 and 3."""
    p, q = f.sub(m[1], m[2]), f.sub(m[3], m[4])
    return [f.fma(P, p, f.mul(Q, q)), f.fma(P3, p, f.fma(Q3, q, m[5]))]


def tile(f, m):
    """A^T m."""
    (y0, y2), (y1, y3) = tile_even(f, m), tile_odd(f, m)
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
def patch_back_even(f, m):
    """Pixels 2 and 4."""
    p, q, first = f.add(m[1], m[2]), f.add(m[3], m[4]), f.mul(-S2, m[0])
    return [f.fma(-Q2, p, f.fma(-P2, q, first)), f.add(f.add(m[0], p), q)]


def patch_back_odd(f, m):
    """Pixels 1 and 3."""
    p, q = f.sub(m[1], m[2]), f.sub(m[3], m[4])
    return [f.fma(-P * Q2, p, f.fma(-Q * P2, q, m[5])), f.fma(P, p, f.fma(Q, q, f.mul(-S2, m[5])))]


def patch_back(f, m):
    """B m."""
    (d2, d4), (d1, d3) = patch_back_even(f, m), patch_back_odd(f, m)
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
        ((0, 1, 2, 3, 4, 5), lambda f, d: patch_first(f, d) + patch_last(f, d), (0, 5)),
    )
    _TILE_GROUPS = ((range(6), tile, range(4)),)
    _SPREAD_GROUPS = ((range(4), lambda f, y: spread_p(f, y) + spread_q(f, y), (1, 2, 3, 4)),)
    BACK_GROUPS = ((range(6), lambda f, m: patch_back(f, m)[1:5], (1, 2, 3, 4)),)
else:
    _PATCH_GROUPS = (
        ((1, 2, 3, 4), patch_p, (1, 2)),
        ((1, 2, 3, 4), patch_q, (3, 4)),
        ((0, 2, 4), patch_first, (0,)),
        ((1, 3, 5), patch_last, (5,)),
    )
    _TILE_GROUPS = ((range(5), tile_even, (0, 2)), (range(1, 6), tile_odd, (1, 3)))
    _SPREAD_GROUPS = ((range(4), spread_p, (1, 2)), (range(4), spread_q, (3, 4)))
    BACK_GROUPS = ((range(1, 6), patch_back_odd, (1, 3)), (range(5), patch_back_even, (2, 4)))


_SPREAD_GROUPS += ((*one_row(0), (0,)), (*one_row(3), (5,)))
BACK_GROUPS += ((*one_row(0), (0,)), (*one_row(5), (5,)))
_KERNEL_GROUPS = ((range(3), kernel, range(6)),)
_KERNEL_BACK_GROUPS = ((range(6), kernel_back, range(3)),)


patch_2d = two_dimensional(_PATCH_GROUPS, patch, PATCH, PATCH)
tile_2d = two_dimensional(_TILE_GROUPS, tile, PATCH, TILE)
tile_2d_bias = two_dimensional(_TILE_GROUPS, tile, PATCH, TILE, finish="bias")
tile_2d_statistics = two_dimensional(_TILE_GROUPS, tile, PATCH, TILE, finish="statistics")
spread_2d = two_dimensional(_SPREAD_GROUPS, spread, TILE, PATCH)
spread_2d_affine = two_dimensional_affine(_SPREAD_GROUPS, spread, TILE)
patch_back_2d = two_dimensional(BACK_GROUPS, patch_back, PATCH, PATCH, finish="add", lap=2)
kernel_2d = two_dimensional(_KERNEL_GROUPS, kernel, 3, PATCH)
kernel_back_2d = two_dimensional(_KERNEL_BACK_GROUPS, kernel_back, PATCH, 3)
