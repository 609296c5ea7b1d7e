"""The tile transforms of Winograd's convolution 3x3 with stride 2: 81 products for a 4x4 tile, not 144.

Along one side, y[i] = g0 x[2i] + g1 x[2i + 1] + g2 x[2i + 2]. The even pixels are a convolution of two taps
without a stride, which takes five products for four numbers (through the points +-2/3, +-3/2 and infinity);
the odd ones are only multiplied by g1, four products. So 9 instead of 12, and 81 instead of 144 in two
dimensions. (Strides are taken apart like this by Yepez and Ko 2020, "Stride 2 1-D, 2-D, and 3-D Winograd for
convolutional neural networks", IEEE Transactions on VLSI Systems 28; the polynomials are `transforms`'.)

A patch has 9x9 pixels, its transform 9x9 places: along each side five of the even pixels, then the four odd
pixels as they are. The odd places share one weight, so that a kernel's transform has 6x6 places like that
of a stride of 1: place (i, j) is multiplied with weights (min(i, 5), min(j, 5)).
"""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.vector import REGISTERS
from residua.engines.numba.kernels.winograd.transforms import (
    P2,
    P3,
    Q2,
    Q3,
    S2,
    TILE,
    P,
    Q,
    patch_first,
    patch_p,
    patch_q,
    spread_p,
    spread_q,
)
from residua.engines.numba.kernels.winograd.two_dimensional import (
    one_row,
    two_dimensional,
    two_dimensional_affine,
)

PATCH = 9
PLACES = PATCH * PATCH
# The norms of the Lagrange polynomials of +P and +Q; those of -P and -Q have the other sign.
NP, NQ = 2 * P * (P2 - Q2), 2 * Q * (Q2 - P2)


# ---------------------------------------------------------------- patch -> products' input
def _shifted(d):
    """The even pixels where the polynomials without the point 0 expect them: from 1 on."""
    return [None, d[0], d[2], d[4], d[6]]


def _patch_p(f, d):
    return patch_p(f, _shifted(d))


def _patch_q(f, d):
    return patch_q(f, _shifted(d))


def _patch_infinity(f, d):
    return patch_first(f, [d[0], None, d[4], None, d[8]])


def patch(f, d):
    """Nine pixels -> nine places."""
    return [*_patch_p(f, d), *_patch_q(f, d), *_patch_infinity(f, d), d[1], d[3], d[5], d[7]]


# ---------------------------------------------------------------- products -> tile
def _tile_even(f, m):
    p, q = f.add(m[0], m[1]), f.add(m[2], m[3])
    return [f.add(f.add(m[5], p), q), f.fma(P2, p, f.fma(Q2, q, m[7]))]


def _tile_odd(f, m):
    p, q = f.sub(m[0], m[1]), f.sub(m[2], m[3])
    return [f.fma(P, p, f.fma(Q, q, m[6])), f.fma(P3, p, f.fma(Q3, q, f.add(m[4], m[8])))]


def tile(f, m):
    """Nine places -> four pixels of the tile."""
    (y0, y2), (y1, y3) = _tile_even(f, m), _tile_odd(f, m)
    return [y0, y1, y2, y3]


# ---------------------------------------------------------------- gradient of the tile -> of the products
def spread(f, y):
    """Four pixels of the tile -> nine places: the transpose of `tile`."""
    return [*spread_p(f, y), *spread_q(f, y), y[3], *y]


# ---------------------------------------------------------------- gradient of that input -> of the patch
def _back_even(f, m):
    """Pixels 2 and 6."""
    p, q = f.add(m[0], m[1]), f.add(m[2], m[3])
    return [f.fma(-Q2, p, f.mul(-P2, q)), f.add(p, q)]


def _back_odd(f, m):
    """Pixels 0 and 4."""
    p, q = f.sub(m[0], m[1]), f.sub(m[2], m[3])
    return [f.fma(-P * Q2, p, f.fma(-Q * P2, q, m[4])), f.fma(P, p, f.fma(Q, q, f.mul(-S2, m[4])))]


def patch_back(f, m):
    """Nine places -> nine pixels: the transpose of `patch`."""
    (d2, d6), (d0, d4) = _back_even(f, m), _back_odd(f, m)
    return [d0, m[5], d2, m[6], d4, m[7], d6, m[8], m[4]]


# ---------------------------------------------------------------- the kernel
def kernel(f, g):
    """Three taps -> six weights: five of the outer taps, and the middle one."""
    return [
        f.fma(P / NP, g[2], f.mul(1 / NP, g[0])),
        f.fma(P / NP, g[2], f.mul(-1 / NP, g[0])),
        f.fma(Q / NQ, g[2], f.mul(1 / NQ, g[0])),
        f.fma(Q / NQ, g[2], f.mul(-1 / NQ, g[0])),
        g[2],
        g[1],
    ]


def kernel_back(f, u):
    """Six weights' gradients -> three taps': the transpose of `kernel`."""
    p, q, r, s = f.sub(u[0], u[1]), f.sub(u[2], u[3]), f.add(u[0], u[1]), f.add(u[2], u[3])
    return [
        f.fma(1 / NP, p, f.mul(1 / NQ, q)),
        u[5],
        f.fma(P / NP, r, f.fma(Q / NQ, s, u[4])),
    ]


# ---------------------------------------------------------------- two dimensions
# Which rows go in, the matrix' part, which rows come out. A row that is ready waits as nine vectors, so with
# 16 registers one is made at a time.
def _pairs(rows, part, results):
    if REGISTERS == 32:
        return ((rows, part, results),)
    return tuple((rows, lambda f, d, n=n: part(f, d)[n : n + 1], results[n : n + 1]) for n in range(2))


_ODD = tuple((*one_row(2 * i + 1), (5 + i,)) for i in range(TILE))
_PATCH_GROUPS = (
    *_pairs((0, 2, 4, 6), _patch_p, (0, 1)),
    *_pairs((0, 2, 4, 6), _patch_q, (2, 3)),
    ((0, 4, 8), _patch_infinity, (4,)),
    *_ODD,
)
_TILE_GROUPS = (
    *_pairs((0, 1, 2, 3, 5, 7), _tile_even, (0, 2)),
    *_pairs((0, 1, 2, 3, 4, 6, 8), _tile_odd, (1, 3)),
)
_SPREAD_GROUPS = (
    (range(TILE), spread_p, (0, 1)),
    (range(TILE), spread_q, (2, 3)),
    (*one_row(3), (4,)),
    *((*one_row(i), (5 + i,)) for i in range(TILE)),
)
_BACK_GROUPS = (
    *_pairs((0, 1, 2, 3), _back_even, (2, 6)),
    *_pairs((0, 1, 2, 3, 4), _back_odd, (0, 4)),
    (*one_row(4), (8,)),
    *((*one_row(5 + i), (2 * i + 1,)) for i in range(TILE)),
)

patch_2d = two_dimensional(_PATCH_GROUPS, patch, PATCH, PATCH)
tile_2d = two_dimensional(_TILE_GROUPS, tile, PATCH, TILE)
tile_2d_bias = two_dimensional(_TILE_GROUPS, tile, PATCH, TILE, finish="bias")
tile_2d_statistics = two_dimensional(_TILE_GROUPS, tile, PATCH, TILE, finish="statistics")
spread_2d = two_dimensional(_SPREAD_GROUPS, spread, TILE, PATCH)
spread_2d_affine = two_dimensional_affine(_SPREAD_GROUPS, spread, TILE)
patch_back_2d = two_dimensional(_BACK_GROUPS, patch_back, PATCH, PATCH, finish="add", lap=1)
kernel_2d = two_dimensional(((range(3), kernel, range(6)),), kernel, 3, 6)
kernel_back_2d = two_dimensional(((range(6), kernel_back, range(3)),), kernel_back, 6, 3)
