"""Tiles of 7x7 for 3x3 kernels: four pixels and three along each side, 121 products where 4x4 tiles take 144.

Maps of 7x7 and 14x14 leave a quarter of their last 4x4 tiles empty, or an eighth. Here a side's first four
pixels are F(4, 3) of pixels 0 to 5 of the patch, and the other three F(3, 3) of pixels 4 to 8, through
+-P, +-Q and infinity: the points of `transforms` without 0 (Lavin and Gray 2016, arXiv 1509.09308, sec. 4).
The norms of their Lagrange polynomials differ by the point; with that factor in the patch's transform the
weights are those of F(4, 3): place i is multiplied with weight i, from the sixth on with weight i - 5.
"""

from __future__ import annotations

from residua.engines.numba.kernels.winograd import transforms
from residua.engines.numba.kernels.winograd.transforms import P2, Q2, S2, P, Q, patch_first, patch_p, patch_q
from residua.engines.numba.kernels.winograd.two_dimensional import one_row, two_dimensional

TILE = 7
PATCH = 9
ALONG = 11  # places


def _from(rows, first, part):
    """A group of rows from `first` on, whose part counts them from 0."""
    return tuple(first + row for row in rows), lambda f, d: part(f, {row: d[first + row] for row in rows})


def _listed(values, first, count):
    return [values[first + i] for i in range(count)]


# ---------------------------------------------------------------- F(3, 3)
def three_p(f, d):
    """Of five pixels, the places of +P and -P."""
    even, odd = f.sub(f.mul(P2, d[2]), d[0]), f.fma(-P * Q2, d[1], f.mul(P, d[3]))
    return [f.add(even, odd), f.sub(even, odd)]


def three_q(f, d):
    """Of five pixels, the places of +Q and -Q."""
    even, odd = f.sub(f.mul(Q2, d[2]), d[0]), f.fma(-Q * P2, d[1], f.mul(Q, d[3]))
    return [f.add(even, odd), f.sub(even, odd)]


def _tile_even(f, m):
    p, q = f.add(m[0], m[1]), f.add(m[2], m[3])
    return [f.add(p, q), f.fma(P2, p, f.fma(Q2, q, m[4]))]


def _tile_odd(f, m):
    return [f.fma(P, f.sub(m[0], m[1]), f.mul(Q, f.sub(m[2], m[3])))]


def _spread_p(f, y):
    even, odd = f.fma(P2, y[2], y[0]), f.mul(P, y[1])
    return [f.add(even, odd), f.sub(even, odd)]


def _spread_q(f, y):
    even, odd = f.fma(Q2, y[2], y[0]), f.mul(Q, y[1])
    return [f.add(even, odd), f.sub(even, odd)]


def _back_even(f, m):
    p, q = f.add(m[0], m[1]), f.add(m[2], m[3])
    return [f.sub(m[4], f.add(p, q)), f.fma(P2, p, f.fma(Q2, q, f.mul(-S2, m[4])))]


def _back_odd(f, m):
    p, q = f.sub(m[0], m[1]), f.sub(m[2], m[3])
    return [f.fma(-P * Q2, p, f.mul(-Q * P2, q)), f.fma(P, p, f.mul(Q, q))]


# ---------------------------------------------------------------- both
def patch(f, d):
    """Nine pixels -> eleven places."""
    last = _listed(d, 4, 5)
    return [*transforms.patch(f, d), *three_p(f, last), *three_q(f, last), *patch_first(f, last)]


def tile(f, m):
    """Eleven places -> seven pixels."""
    last = _listed(m, 6, 5)
    (y4, y6), (y5,) = _tile_even(f, last), _tile_odd(f, last)
    return [*transforms.tile(f, m), y4, y5, y6]


def spread(f, y):
    """Seven pixels -> eleven places: the transpose of `tile`."""
    last = _listed(y, 4, 3)
    return [*transforms.spread(f, y), *_spread_p(f, last), *_spread_q(f, last), y[6]]


def patch_back(f, m):
    """Eleven places -> nine pixels: the transpose of `patch`."""
    last, first = _listed(m, 6, 5), transforms.patch_back(f, m)
    (e0, e2), (e1, e3) = _back_even(f, last), _back_odd(f, last)
    return [*first[:4], f.add(first[4], e0), f.add(first[5], e1), e2, e3, m[10]]


def _back_shared_even(f, m):
    """Pixels 4 and 6, of which the first is in both parts."""
    p, q = f.add(m[1], m[2]), f.add(m[3], m[4])
    e0, e2 = _back_even(f, _listed(m, 6, 5))
    return [f.add(f.add(f.add(m[0], p), q), e0), e2]


def _back_shared_odd(f, m):
    """Pixels 5 and 7, of which the first is in both parts."""
    e1, e3 = _back_odd(f, _listed(m, 6, 4))
    return [f.add(m[5], e1), e3]


_PATCH_GROUPS = (
    ((1, 2, 3, 4), patch_p, (1, 2)),
    ((1, 2, 3, 4), patch_q, (3, 4)),
    ((0, 2, 4), patch_first, (0,)),
    ((1, 3, 5), transforms.patch_last, (5,)),
    (*_from((0, 1, 2, 3), 4, three_p), (6, 7)),
    (*_from((0, 1, 2, 3), 4, three_q), (8, 9)),
    (*_from((0, 2, 4), 4, patch_first), (10,)),
)
_TILE_GROUPS = (
    (range(5), transforms.tile_even, (0, 2)),
    (range(1, 6), transforms.tile_odd, (1, 3)),
    (*_from(range(5), 6, _tile_even), (4, 6)),
    (*_from(range(4), 6, _tile_odd), (5,)),
)
_SPREAD_GROUPS = (
    (range(4), transforms.spread_p, (1, 2)),
    (range(4), transforms.spread_q, (3, 4)),
    (*one_row(0), (0,)),
    (*one_row(3), (5,)),
    (*_from(range(3), 4, _spread_p), (6, 7)),
    (*_from(range(3), 4, _spread_q), (8, 9)),
    (*one_row(6), (10,)),
)
_BACK_GROUPS = (
    (range(1, 6), transforms.patch_back_odd, (1, 3)),
    ((0, 1, 2, 3, 4), lambda f, m: transforms.patch_back_even(f, m)[:1], (2,)),
    ((0, 1, 2, 3, 4, *range(6, 11)), _back_shared_even, (4, 6)),
    (range(5, 10), _back_shared_odd, (5, 7)),
    (*one_row(0), (0,)),
    (*one_row(10), (8,)),
)

patch_2d = two_dimensional(_PATCH_GROUPS, patch, PATCH, ALONG)
tile_2d = two_dimensional(_TILE_GROUPS, tile, ALONG, TILE)
tile_2d_bias = two_dimensional(_TILE_GROUPS, tile, ALONG, TILE, finish="bias")
tile_2d_statistics = two_dimensional(_TILE_GROUPS, tile, ALONG, TILE, finish="statistics")
spread_2d = two_dimensional(_SPREAD_GROUPS, spread, TILE, ALONG)
patch_back_2d = two_dimensional(_BACK_GROUPS, patch_back, ALONG, PATCH, finish="add", lap=2)
