"""The points of Winograd's transforms, and the matrices that follow from them (Toom and Cook).

The product of two polynomials is known from its values at as many points as it has coefficients. The points
are 0 (or not), pairs +-p, and infinity, in this order. The matrices, each times one column of vectors (`f` is
`two_dimensional.Algebra`):

    values         a polynomial at every point: A, and with the norms G
    coefficients   the transposed: A^T and G^T
    patch          what of a patch is multiplied at every point: B^T
    patch_back     the transposed: B

A row of B^T has the coefficients of the polynomial that is zero at all finite points but its own. The two of
a pair share those of even powers, and differ in the sign of the others; so do their values over the norm.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple


class Points(NamedTuple):
    """The pairs; and whether 0 is a point, which takes pairs whose product is 1: then its norm is 1."""

    pairs: tuple[float, ...]
    zero: bool

    @property
    def count(self) -> int:
        """How many there are, infinity among them."""
        return self.zero + 2 * len(self.pairs) + 1

    @property
    def norms(self) -> tuple[float, ...]:
        """One over the values at each pair of its rows of B^T."""
        return tuple(
            1 / (2 * p * p**self.zero * prod(p * p - q * q for q in self.pairs if q != p)) for p in self.pairs
        )


def _zeros_at(pairs):
    """The polynomial in x * x with these zeros, the lowest power first."""
    result = [1.0]
    for p in pairs:
        result = [high - p * p * low for high, low in zip([0.0, *result], [*result, 0.0], strict=True)]
    return result


def _rows(points, pair):
    """Of a pair's rows of B^T the factors of even and of odd powers, by power."""
    p = points.pairs[pair]
    others = _zeros_at([q for q in points.pairs if q != p])
    by_p = {2 * i + points.zero: p * factor for i, factor in enumerate(others)}
    by_x = {2 * i + points.zero + 1: factor for i, factor in enumerate(others)}
    return (by_x, by_p) if points.zero else (by_p, by_x)


def _last_row(points):
    """Of infinity's row of B^T the factors, by power."""
    return {2 * i + points.zero: factor for i, factor in enumerate(_zeros_at(points.pairs))}


def _sum(f, terms):
    """The sum of factor times vector."""
    (factor, vector), *others = terms
    total = vector if factor == 1 else f.mul(factor, vector)
    for factor, vector in others:
        total = f.add(total, vector) if factor == 1 else f.fma(factor, vector, total)
    return total


def _pair(f, even, odd):
    return [f.add(even, odd), f.sub(even, odd)]


def values(f, y, points, norms):
    """The polynomial with coefficients y at every point, over the norms."""
    at = [y[0]] if points.zero else []
    for p, norm in zip(points.pairs, norms, strict=True):
        parts = ([(norm * p**power, y[power]) for power in range(first, len(y), 2)] for first in (0, 1))
        at += _pair(f, *(_sum(f, part) for part in parts))
    return [*at, y[len(y) - 1]]


def coefficients(f, m, size, points, norms, powers):
    """The transposed of `values` of so many coefficients: those of these powers alone."""
    results, last = [], points.count - 1
    for power in powers:
        terms = [(1, m[0])] if points.zero and power == 0 else []
        if power == size - 1:
            terms.append((1, m[last]))
        for i in reversed(range(len(points.pairs))):
            factor = norms[i] * points.pairs[i] ** power
            terms.append((factor, _of_pair(f, m, points, i, odd=power % 2)))
        results.append(_sum(f, terms))
    return results


def _of_pair(f, m, points, pair, *, odd):
    """The sum of a pair's two places, or their difference."""
    first = points.zero + 2 * pair
    return (f.sub if odd else f.add)(m[first], m[first + 1])


def patch_pair(f, d, points, pair):
    """The places of one pair, of a patch."""
    return _pair(f, *(_sum(f, [(row[i], d[i]) for i in row]) for row in _rows(points, pair)))


def patch_last(f, d, points):
    """The place of infinity, of a patch."""
    row = _last_row(points)
    return [_sum(f, [(row[i], d[i]) for i in sorted(row, reverse=True)])]


def patch(f, d, points):
    """All places of a patch; without 0."""
    pairs = (patch_pair(f, d, points, i) for i in range(len(points.pairs)))
    return [*(place for pair in pairs for place in pair), *patch_last(f, d, points)]


def patch_back(f, m, points, pixels):
    """The transposed of `patch`: these pixels alone."""
    results = []
    for pixel in pixels:
        end = _last_row(points).get(pixel)
        terms = [] if end is None else [(end, m[points.count - 1])]
        for pair in range(len(points.pairs)):
            factor = _rows(points, pair)[pixel % 2].get(pixel)
            if factor is not None:
                terms.append((factor, _of_pair(f, m, points, pair, odd=pixel % 2)))
        results.append(_sum(f, terms))
    return results
