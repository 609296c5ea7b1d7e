"""Pixels at every stride-th row and column: taken out of pictures, and put back among zeros.

A 1x1 convolution with a stride reads no others. Taken out, they are pixels like any others; on the way back
their gradients are put where they came from.
"""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.scalars import clear, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, load, store


class Strides(NamedTuple):
    """What both kernels are given: channels in whole vectors; where the large and the small pictures lie."""

    parts: int
    batch: int
    height: int
    width: int
    channels: int
    stride: int
    large: int
    small: int


_strides = reader(Strides)


def take_out(l0, l1, l2, l3, args, part, scratch):
    """small[n, i, j] = large[n, i stride, j stride]."""
    p = _strides(args)
    height, width, channels, stride, large, small = p.height, p.width, p.channels, p.stride, p.large, p.small
    rows = (height + stride - 1) // stride
    start, stop = part_of(p.batch * rows, part, p.parts)
    to = start * ((width + stride - 1) // stride) * channels
    for i in range(start, stop):
        row = (i // rows * height + i % rows * stride) * width * channels
        for at in range(row, row + width * channels, stride * channels):
            for c in range(0, channels, WIDTH):
                store(small, to + c, load(large, at + c))
            to += channels


def put_back(l0, l1, l2, l3, args, part, scratch):
    """large[n, i stride, j stride] = small[n, i, j], zero elsewhere."""
    p = _strides(args)
    height, width, channels, stride, large, small = p.height, p.width, p.channels, p.stride, p.large, p.small
    start, stop = part_of(p.batch, part, p.parts)
    source = start * ((height + stride - 1) // stride) * ((width + stride - 1) // stride) * channels
    for n in range(start, stop):
        for i in range(height):
            row = (n * height + i) * width * channels
            if i % stride != 0:
                clear(large + 4 * row, width * channels)
                continue
            for j in range(0, width, stride):
                at = row + j * channels
                for c in range(0, channels, WIDTH):
                    store(large, at + c, load(small, source + c))
                source += channels
                clear(large + 4 * (at + channels), (min(stride, width - j) - 1) * channels)
