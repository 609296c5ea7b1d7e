"""Some channels of pictures copied from one array to another: branches that meet, and gradients that part."""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.pictures.load import copy_row
from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.scalars import part_of


class Copy(NamedTuple):
    """What `copy` is given: how many pixels, how many channels of each, and how many apart pixels lie."""

    parts: int
    pixels: int
    channels: int
    source_stride: int
    target_stride: int
    source: int
    target: int


_copy = reader(Copy)


def copy(l0, l1, l2, l3, args, part, scratch):
    """target[i, 0 : channels] = source[i, 0 : channels] for every pixel i."""
    p = _copy(args)
    start, stop = part_of(p.pixels, part, p.parts)
    for pixel in range(start, stop):
        copy_row(p.source + 4 * pixel * p.source_stride, p.target + 4 * pixel * p.target_stride, p.channels)
