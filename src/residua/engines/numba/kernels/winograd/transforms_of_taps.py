"""The transforms of Winograd's convolutions with kernels of 2x2 and of 5x5 (Lavin and Gray 2016, section 4).

Two taps go by the six points of F(4x4, 3x3), whose B is that of `transforms`, and give tiles of 5x5 pixels:
36 multiplications instead of 100. Five taps by these would give 2x2 pixels, 9 multiplications each; by the
seven points of F(3x3, 5x5) it is 49 for 9 pixels, 5.4 each instead of 25. Three pairs and infinity lose least
digits, and of those 3/10, 9/10 and 3/2: measured over 32 channels, the largest error is 2e-6 of the largest
value forward, and 3e-6 for the weights' gradient, F(4x4, 3x3)'s 1e-6 and 2e-6.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from residua.engines.numba.kernels.primitives.vector import REGISTERS
from residua.engines.numba.kernels.winograd import points as by
from residua.engines.numba.kernels.winograd import transforms
from residua.engines.numba.kernels.winograd.points import Points, coefficients, values
from residua.engines.numba.kernels.winograd.transforms import P, Q
from residua.engines.numba.kernels.winograd.two_dimensional import one_row, two_dimensional

SIX = Points((P, Q), zero=True)
SEVEN = Points((0.3, 0.9, 1.5), zero=False)
POINTS = {2: SIX, 5: SEVEN}  # by the number of taps
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


def _to_places(size, points, norms):
    """Groups and matrix from `size` rows to one for every point."""
    matrix = lambda f, y: values(f, [y[i] for i in range(size)], points, norms)  # noqa: E731
    last = points.count - 1
    groups = []
    for first in range(points.zero, last, TOGETHER):
        some = range(first, min(first + TOGETHER, last))
        groups.append((range(size), lambda f, y, some=some: [matrix(f, y)[n] for n in some], tuple(some)))
    if points.zero:
        groups.append((*one_row(0), (0,)))
    return (*groups, (*one_row(size - 1), (last,))), matrix


def _from_places(size, points, norms):
    """Groups and matrix to `size` rows: those of even and of odd powers need different ones."""
    groups, last = [], points.count - 1
    for some in _powers(size):
        ends = [0] * (points.zero and 0 in some), [last] * (size - 1 in some)
        rows = [*ends[0], *range(points.zero, last), *ends[1]]
        part = lambda f, m, some=some: coefficients(f, m, size, points, norms, some)  # noqa: E731
        groups.append((tuple(rows), part, some))
    return tuple(groups), lambda f, m: coefficients(f, m, size, points, norms, range(size))


def _powers(size):
    """The even ones and the odd ones, two at a time."""
    for parity in (0, 1):
        powers = tuple(range(parity, size, 2))
        yield from (powers[first : first + 2] for first in range(0, len(powers), 2))


def _patch(points):
    """Groups and matrix from a patch to its places, where 0 is no point."""
    last = points.count - 1
    groups = [
        (range(last), lambda f, d, i=i: by.patch_pair(f, d, points, i), (2 * i, 2 * i + 1))
        for i in range(len(points.pairs))
    ]
    end = (range(0, points.count, 2), lambda f, d: by.patch_last(f, d, points), (last,))
    return (*groups, end), lambda f, d: by.patch(f, d, points)


def _patch_back(points):
    """Groups and matrix from places to a patch, where 0 is no point."""
    count = points.count
    groups = [
        (range(count), lambda f, m, some=some: by.patch_back(f, m, points, some), some)
        for some in _powers(count)
    ]
    return tuple(groups), lambda f, m: by.patch_back(f, m, points, range(count))


def of_taps(taps: int) -> Transforms:
    """The transforms of kernels with so many taps along each side."""
    points = POINTS[taps]
    size, tile = points.count, points.count + 1 - taps
    plain = (1.0,) * len(points.pairs)
    tiles, kernels = _from_places(tile, points, plain), _to_places(taps, points, points.norms)
    if points is SIX:
        patch_2d, back = transforms.patch_2d, (transforms.BACK_GROUPS, transforms.patch_back)
    else:
        patch_2d, back = two_dimensional(*_patch(points), size, size), _patch_back(points)
    return Transforms(
        patch_2d=patch_2d,
        tile_2d=two_dimensional(*tiles, size, tile),
        tile_2d_bias=two_dimensional(*tiles, size, tile, finish="bias"),
        tile_2d_statistics=two_dimensional(*tiles, size, tile, finish="statistics"),
        spread_2d=two_dimensional(*_to_places(tile, points, plain), tile, size),
        patch_back_2d=two_dimensional(*back, size, size, finish="add", lap=taps - 1),
        kernel_2d=two_dimensional(*kernels, taps, size),
        kernel_back_2d=two_dimensional(*_from_places(taps, points, points.norms), size, taps),
    )
