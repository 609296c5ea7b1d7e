"""Strips of a picture: the rows that Winograd's way has in its scratch at a time."""

from __future__ import annotations

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.load import load_rows
from residua.engines.numba.kernels.primitives.scalars import clear, get_int
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store
from residua.engines.numba.kernels.winograd.transforms import TILE


@inline
def fill_strip(c, stride, args, n, top, bottom, scratch, breadth, step, whole):
    """The rows of x under the rows of tiles from top to bottom, with their border of zeros.

    A tile takes TILE * stride rows further down, and two more: of these, one with a stride of 2 is read only
    where it is the picture's last.
    """
    height, padding = get_int(args, pictures.HEIGHT), get_int(args, pictures.PADDING)
    side = TILE * stride
    row, begin, end = 4 * breadth * c, side * top, side * bottom + 2
    if top > 0:
        last = scratch + side * step * row
        for i in range(0, 2 * breadth * c, WIDTH):
            store(scratch, i, load(last, i))
        begin += 2
    first, stop = max(0, begin - padding), min(height, end - padding)
    if not whole:  # else the border is zero from the start
        if begin < padding:
            clear(scratch, (min(end, padding) - side * top) * breadth * c)
        after = max(begin, padding + height)
        if after < end:
            clear(scratch + (after - side * top) * row, (end - after) * breadth * c)
    to = scratch + (first + padding - side * top) * row + 4 * padding * c
    load_rows(c, args, n, first, stop, to, breadth)
