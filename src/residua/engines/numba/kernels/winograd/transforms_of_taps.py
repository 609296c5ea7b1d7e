"""The transforms of Winograd's convolutions with kernels of 2x2 and of 5x5: six points, as F(4x4, 3x3) has.

What a patch becomes depends on the points alone, so B is that of `transforms`; r taps give a tile of 7 - r
pixels along each side, F(5x5, 2x2) and F(2x2, 5x5) (Lavin and Gray 2016, arXiv 1509.09308, section 4): 36
multiplications instead of 100. Measured over 64 channels, their error is 1.6e-6 of the largest
value, F(4x4, 3x3)'s 2.0e-6.

    A   a tile's polynomial at each point            G   a kernel's polynomial there, over the point's norm
"""

from __future__ import annotations

from typing import Any, NamedTuple

from residua.engines.numba.kernels.primitives.vector import REGISTERS
from residua.engines.numba.kernels.winograd import transforms
from residua.engines.numba.kernels.winograd.transforms import NP, NQ, PATCH, P, Q
from residua.engines.numba.kernels.winograd.two_dimensional import one_row, two_dimensional

TOGETHER = 4 if REGISTERS == 32 else 2  # rows that are made from the same ones and fit into the registers


class Transforms(NamedTuple):
    """Those of one kernel, by the names that they have in `transforms`."""

    patch_2d: Any
    tile_2d: Any
    tile_2d_bias: Any
    tile_2d_statistics: Any
    spread_2d: Any
    patch_back_2d: Any
    kernel_2d: Any
    kernel_back_2d: Any


def _at(f, point, norm, y):
    """Values of the polynomial with coefficients y at +point and -point, over its norm."""

    def part(powers):
        first, *others = powers
        total = y[first] if norm * point**first == 1 else f.mul(norm * point**first, y[first])
        for power in others:
            total = f.fma(norm * point**power, y[power], total)
        return total

    even, odd = part(range(0, len(y), 2)), part(range(1, len(y), 2))
    return [f.add(even, odd), f.sub(even, odd)]


def values(f, y, norms):
    """The places of all points: 0, +-P, +-Q and infinity."""
    return [y[0], *_at(f, P, norms[0], y), *_at(f, Q, norms[1], y), y[len(y) - 1]]


def coefficients(f, m, size, norms, powers):
    """The transpose of `values`, of these powers alone."""
    results = []
    for power in powers:
        combine = f.sub if power % 2 else f.add
        p, q = combine(m[1], m[2]), combine(m[3], m[4])
        end = m[0] if power == 0 else m[5] if power == size - 1 else None
        factor = norms[1] * Q**power
        total = f.mul(factor, q) if end is None else f.fma(factor, q, end)
        results.append(f.fma(norms[0] * P**power, p, total))
    return results


def _to_places(size, norms):
    """Groups and matrix from `size` rows to six."""
    matrix = lambda f, y: values(f, [y[i] for i in range(size)], norms)  # noqa: E731
    pairs = tuple(
        (range(size), lambda f, y, n=n: matrix(f, y)[n : n + TOGETHER], tuple(range(n, n + TOGETHER)))
        for n in range(1, PATCH - 1, TOGETHER)
    )
    return (*pairs, (*one_row(0), (0,)), (*one_row(size - 1), (PATCH - 1,))), matrix


def _from_places(size, norms):
    """Groups and matrix from six rows to `size`: those of even and of odd powers need different ones."""
    groups = []
    for parity in (0, 1):
        powers = tuple(range(parity, size, 2))
        for first in range(0, len(powers), 2):
            some = powers[first : first + 2]
            rows = [0] * (0 in some) + [1, 2, 3, 4] + [5] * (size - 1 in some)
            part = lambda f, m, some=some: coefficients(f, m, size, norms, some)  # noqa: E731
            groups.append((tuple(rows), part, some))
    return tuple(groups), lambda f, m: coefficients(f, m, size, norms, range(size))


def of_taps(taps: int) -> Transforms:
    """The transforms of kernels with so many taps along each side."""
    tile = PATCH + 1 - taps
    plain, normed = (1.0, 1.0), (1 / NP, 1 / NQ)
    back = _from_places(tile, plain)
    return Transforms(
        patch_2d=transforms.patch_2d,
        tile_2d=two_dimensional(*back, PATCH, tile),
        tile_2d_bias=two_dimensional(*back, PATCH, tile, finish="bias"),
        tile_2d_statistics=two_dimensional(*back, PATCH, tile, finish="statistics"),
        spread_2d=two_dimensional(*_to_places(tile, plain), tile, PATCH),
        patch_back_2d=two_dimensional(
            transforms.BACK_GROUPS, transforms.patch_back, PATCH, PATCH, finish="add", lap=taps - 1
        ),
        kernel_2d=two_dimensional(*_to_places(taps, normed), taps, PATCH),
        kernel_back_2d=two_dimensional(*_from_places(taps, normed), PATCH, taps),
    )
