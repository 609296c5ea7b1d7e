"""Tiles between their pixels and the places of Winograd's products, for a stride of 1 and of 2.

A tile's places lie `apart` floats from each other: side by side (then tiles are `GAP` floats further apart
than their places take), or in a matrix each (`winograd.many_channels`). Literal strides leave one of both
branches.
"""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.scalars import clear
from residua.engines.numba.kernels.primitives.vector import inline
from residua.engines.numba.kernels.winograd import transforms, transforms_strided

GAP = 16  # floats between tiles or matrices: a distance of whole pages would make them share cache lines


@inline
def places_along(stride):
    """Places along each side of a tile."""
    return transforms.PATCH if stride == 1 else transforms_strided.PATCH


def place_count(stride: int) -> int:
    """Products for a tile."""
    return transforms.PLACES if stride == 1 else transforms_strided.PLACES


@inline
def weights_at(place, along):
    """Which of the weights' 6x6 places is multiplied there."""
    last = transforms.PATCH - 1
    return transforms.PATCH * min(place // along, last) + min(place % along, last)


@inline
def patch_to_places(stride, d, row, c, v, apart):
    """The patch at d, whose rows are `row` floats apart, as places of c channels."""
    along = places_along(stride) * apart
    if stride == 1:
        transforms.patch_2d(d, row, c, v, along, apart, 0, 0)
    else:
        transforms_strided.patch_2d(d, row, c, v, along, apart, 0, 0)


@inline
def places_to_patch(stride, v, apart, d, row, c):
    """Places, as gradients, to the patch at d; added where the tiles above and to the left overlap it."""
    along = places_along(stride) * apart
    if stride == 1:
        transforms.patch_back_2d(v, along, apart, d, row, c, 0, 0)
    else:
        transforms_strided.patch_back_2d(v, along, apart, d, row, c, 0, 0)


@inline
def clear_edges(stride, c, d, breadth, rows, begin):
    """Zeros where no tile stores first in so many rows and two more, whose first two are kept at no `begin`.

    Those are the left edge and, with a stride of 2, the last row and column, which no tile reaches.
    """
    if begin:
        clear(d, 2 * breadth * c)
    for i in range(2, rows + 2):
        clear(d + 4 * i * breadth * c, 2 * c)
        if stride == 2:
            clear(d + 4 * (i + 1) * breadth * c - 4 * c, c)
    if stride == 2:
        clear(d + 4 * (rows + 1) * breadth * c, breadth * c)


@inline
def tile_to_places(stride, d, row, k, m, apart):
    """The tile of gradients at d as places of k channels."""
    along = places_along(stride) * apart
    if stride == 1:
        transforms.spread_2d(d, row, k, m, along, apart, 0, 0)
    else:
        transforms_strided.spread_2d(d, row, k, m, along, apart, 0, 0)


@inline
def finished_to_places(stride, dy, raw, row, k, factors, gap, m, apart):
    """As `tile_to_places`, of the gradient a dy + b raw + c (`pictures.AFFINE`), read where it lies.

    `factors`: where a lies, `gap` floats before b, and that before c.
    """
    along = places_along(stride) * apart
    if stride == 1:
        transforms.spread_2d_affine(dy, raw, row, k, factors, gap, m, along, apart)
    else:
        transforms_strided.spread_2d_affine(dy, raw, row, k, factors, gap, m, along, apart)


@inline
def places_to_tile(stride, m, apart, y, row, k):
    """The tile of output."""
    along = places_along(stride) * apart
    if stride == 1:
        transforms.tile_2d(m, along, apart, y, row, k, 0, 0)
    else:
        transforms_strided.tile_2d(m, along, apart, y, row, k, 0, 0)


@inline
def places_to_tile_summed(stride, m, apart, y, row, k, sums):
    """The tile of output, added to the sums over its pixels and over their squares."""
    along = places_along(stride) * apart
    if stride == 1:
        transforms.tile_2d_statistics(m, along, apart, y, row, k, sums, k)
    else:
        transforms_strided.tile_2d_statistics(m, along, apart, y, row, k, sums, k)


@inline
def places_to_tile_biased(stride, m, apart, y, row, k, bias, gap):
    """The tile of output plus the bias, and not below the vector `gap` floats behind it."""
    along = places_along(stride) * apart
    if stride == 1:
        transforms.tile_2d_bias(m, along, apart, y, row, k, bias, gap)
    else:
        transforms_strided.tile_2d_bias(m, along, apart, y, row, k, bias, gap)


@inline
def weight_to_places(stride, g, gap, u, gap_u):
    """The nine taps at g, `gap` floats apart, as 36 places."""
    if stride == 1:
        transforms.kernel_2d(g, 3 * gap, gap, u, transforms.PATCH * gap_u, gap_u, 0, 0)
    else:
        transforms_strided.kernel_2d(g, 3 * gap, gap, u, transforms.PATCH * gap_u, gap_u, 0, 0)


@inline
def places_to_weight(stride, u, gap_u, g, gap):
    """36 places, as gradients, as nine taps."""
    if stride == 1:
        transforms.kernel_back_2d(u, transforms.PATCH * gap_u, gap_u, g, 3 * gap, gap, 0, 0)
    else:
        transforms_strided.kernel_back_2d(u, transforms.PATCH * gap_u, gap_u, g, 3 * gap, gap, 0, 0)
