"""Pixels at every stride-th row and column: taken out of pictures, and put back among zeros.

A 1x1 convolution with a stride reads no others. Taken out, they are pixels like any others; on the way back
their gradients are put where they came from. Block: parts, pictures, height and width, numbers per pixel
(a multiple of WIDTH), stride, large pictures, small pictures.
"""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.scalars import clear, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, load, store


def take_out(l0, l1, l2, l3, args, part, scratch):
    """small[n, i, j] = large[n, i stride, j stride]."""
    parts, count, height, width = get_int(args, 0), get_int(args, 1), get_int(args, 2), get_int(args, 3)
    channels, stride, large, small = get_int(args, 4), get_int(args, 5), get_int(args, 6), get_int(args, 7)
    start, stop = part_of(count, part, parts)
    to = start * ((height + stride - 1) // stride) * ((width + stride - 1) // stride) * channels
    for n in range(start, stop):
        for i in range(0, height, stride):
            row = (n * height + i) * width * channels
            for at in range(row, row + width * channels, stride * channels):
                for c in range(0, channels, WIDTH):
                    store(small, to + c, load(large, at + c))
                to += channels


def put_back(l0, l1, l2, l3, args, part, scratch):
    """large[n, i stride, j stride] = small[n, i, j], zero elsewhere."""
    parts, count, height, width = get_int(args, 0), get_int(args, 1), get_int(args, 2), get_int(args, 3)
    channels, stride, large, small = get_int(args, 4), get_int(args, 5), get_int(args, 6), get_int(args, 7)
    start, stop = part_of(count, part, parts)
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
