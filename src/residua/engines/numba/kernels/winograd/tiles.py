"""Tiles between their pixels and the places of Winograd's products, for a stride of 1 and of 2.

A tile's places lie `apart` floats from each other: side by side (then tiles are `GAP` floats further apart
than their places take), or in a matrix each (`winograd.many_channels`). Literal strides leave one of both
branches.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from residua.engines.numba.kernels.primitives.scalars import clear
from residua.engines.numba.kernels.primitives.vector import inline
from residua.engines.numba.kernels.winograd import transforms, transforms_strided
from residua.engines.numba.kernels.winograd.transforms_of_taps import POINTS
from residua.engines.numba.kernels.winograd.two_dimensional import Grid

GAP = 16  # floats between tiles or matrices: a distance of whole pages would make them share cache lines


@inline
def places_along(stride):
    """Places along each side of a tile."""
    return transforms.PATCH if stride == 1 else transforms_strided.PATCH


def place_count(stride: int) -> int:
    """Products for a tile."""
    return transforms.PLACES if stride == 1 else transforms_strided.PLACES


def along_of(taps: int) -> int:
    """Places along each side of the transform of weights with so many taps: the number of points."""
    return POINTS[taps].count if taps in POINTS else transforms.PATCH


@inline
def weights_at(place, along):
    """Which of the weights' 6x6 places is multiplied there."""
    last = transforms.PATCH - 1
    return transforms.PATCH * min(place // along, last) + min(place % along, last)


@inline
def places_of(stride, address, apart):
    """A tile's places from that address on."""
    return Grid(address, places_along(stride) * apart, apart)


@inline
def square_of(side, address, apart):
    """So many places of a transform, or taps of a weight, along each side, from that address on."""
    return Grid(address, side * apart, apart)


def _by_stride(name):
    """The transform of that name for a stride of 1 and for one of 2, from one `Grid` to another."""
    one, two = getattr(transforms, name), getattr(transforms_strided, name)

    @inline
    def transform(stride, source, target):
        if stride == 1:
            one(source, target, 0, 0)
        else:
            two(source, target, 0, 0)

    return transform


def _by_stride_with(name):
    """As `_by_stride`, of a transform that also reads, or adds to, two vectors, `gap` floats apart."""
    one, two = getattr(transforms, name), getattr(transforms_strided, name)

    @inline
    def transform(stride, source, target, vectors, gap):
        if stride == 1:
            one(source, target, vectors, gap)
        else:
            two(source, target, vectors, gap)

    return transform


patch_to_places = _by_stride("patch_2d")
# Places, as gradients, to a patch; added where the tiles above and to the left overlap it.
places_to_patch = _by_stride("patch_back_2d")
# A tile of gradients.
tile_to_places = _by_stride("spread_2d")
# A tile of output.
places_to_tile = _by_stride("tile_2d")
# The same, added to the sums over its pixels and over their squares.
places_to_tile_summed = _by_stride_with("tile_2d_statistics")
# The same, plus the bias, and not below the vector `gap` floats behind it.
places_to_tile_biased = _by_stride_with("tile_2d_bias")
# The nine taps, and as gradients back.
weight_to_places = _by_stride("kernel_2d")
places_to_weight = _by_stride("kernel_back_2d")


@inline
def finished_to_places(stride, dy, raw, places, factors, gap):
    """As `tile_to_places`, of the gradient a dy + b raw + c (`pictures.AFFINE`), read where it lies.

    `factors`: where a lies, `gap` floats before b, and that before c.
    """
    if stride == 1:
        transforms.spread_2d_affine(dy, raw, places, factors, gap)
    else:
        transforms_strided.spread_2d_affine(dy, raw, places, factors, gap)


@inline
def clear_edges(stride, c, frame, rows, begin):
    """Zeros where no tile stores first in so many rows and two more, whose first two are kept at no `begin`.

    Those are the left edge and, with a stride of 2, the last row and column, which no tile reaches.
    """
    d, row = frame.address, 4 * frame.width * c
    if begin:
        clear(d, 2 * frame.width * c)
    for i in range(2, rows + 2):
        clear(d + i * row, 2 * c)
        if stride == 2:
            clear(d + (i + 1) * row - 4 * c, c)
    if stride == 2:
        clear(d + (rows + 1) * row, frame.width * c)


class Form(NamedTuple):
    """A kernel's taps and its tile's pixels of output along each side, and its transforms, as above.

    along: places of the weights' transform along each side.
    """

    taps: int
    tile: int
    patch_to_places: Any
    places_to_patch: Any
    tile_to_places: Any
    places_to_tile: Any
    places_to_tile_summed: Any
    places_to_tile_biased: Any
    weight_to_places: Any
    places_to_weight: Any
    places_of: Any = places_of
    along: int = transforms.PATCH

    @property
    def rim(self) -> int:
        """Rows and columns that neighbouring patches share."""
        return self.taps - 1


THREE = Form(
    3, transforms.TILE, patch_to_places, places_to_patch, tile_to_places,
    places_to_tile, places_to_tile_summed, places_to_tile_biased, weight_to_places, places_to_weight,
)  # fmt: skip
