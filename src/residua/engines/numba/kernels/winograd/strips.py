"""Strips of pictures: the rows that Winograd's way has in its scratch at a time, and their tiles."""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.pictures.arguments import Frame, Rows, following, geometry
from residua.engines.numba.kernels.pictures.load import load_rows
from residua.engines.numba.kernels.primitives.scalars import clear
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store
from residua.engines.numba.kernels.winograd.transforms import TILE


class Strip(NamedTuple):
    """Rows of tiles, from top to bottom, of a group of pictures; `right` tiles lie in a row."""

    picture: int
    pictures: int
    top: int
    bottom: int
    right: int


class Tile(NamedTuple):
    """One of a strip's tiles: the number of its picture in the group, its row in the strip, its column."""

    picture: int
    row: int
    column: int


@inline
def tile_at(strip, number):
    """The tile of that number in a strip."""
    high = strip.bottom - strip.top
    return Tile(number // (strip.right * high), number // strip.right % high, number % strip.right)


@inline
def tile_after(strip, tile):
    """The tile that comes next."""
    picture, row, column = tile.picture, tile.row, tile.column + 1
    if column == strip.right:
        column, row = 0, row + 1
        if row == strip.bottom - strip.top:
            row, picture = 0, picture + 1
    return Tile(picture, row, column)


class Lookahead(NamedTuple):
    """What the next strip reads and writes: where in x and in y, lines to fetch a turn, and their ends."""

    x: int
    x_lines: int
    x_end: int
    y: int
    y_lines: int
    y_end: int


@inline
def lookahead(c, k, stride, args, part, strip, stop, turns):
    """What comes after a strip, fetched in so many turns; `stop`: the end of this part's pictures."""
    g, side = geometry(args), TILE * stride
    x_row, y_row = g.width * c, g.out_width * k
    lines = strip.pictures * (strip.bottom - strip.top) * TILE
    last = strip.picture + strip.pictures - 1
    x = (last * g.height + max(0, min(g.height, side * strip.bottom + 2 - g.padding))) * x_row
    y = (last * g.out_height + min(g.out_height, TILE * strip.bottom)) * y_row
    if strip.bottom == (g.out_height + TILE - 1) // TILE:
        after = following(args, part, strip.picture + strip.pictures, stop)
        x, y = after * g.height * x_row, after * g.out_height * y_row
    return Lookahead(
        x,
        lines * stride * x_row // 16 // turns + 1,
        g.batch * g.height * x_row,
        y,
        lines * y_row // 16 // turns + 1,
        g.batch * g.out_height * y_row,
    )


@inline
def fill_strip(c, stride, args, n, strip, frame, fresh):
    """The rows of picture n under a strip's rows of tiles, with their border of zeros.

    A tile takes TILE * stride rows further down, and two more: of these, one with a stride of 2 is read only
    where it is the picture's last. fresh: nothing of it is there from the strip before.
    """
    g, scratch, top = geometry(args), frame.address, strip.top
    side = TILE * stride
    row, begin, end = 4 * frame.width * c, side * top, side * strip.bottom + 2
    if not fresh:
        last = scratch + side * g.strip * row
        for i in range(0, 2 * frame.width * c, WIDTH):
            store(scratch, i, load(last, i))
        begin += 2
    first, stop = max(0, begin - g.padding), min(g.height, end - g.padding)
    # In groups of whole pictures the border is zero from the start.
    if g.strip != (g.out_height + TILE - 1) // TILE or strip.pictures == 1:
        if begin < g.padding:
            clear(scratch, (min(end, g.padding) - side * top) * frame.width * c)
        after = max(begin, g.padding + g.height)
        if after < end:
            clear(scratch + (after - side * top) * row, (end - after) * frame.width * c)
    to = scratch + (first + g.padding - side * top) * row + 4 * g.padding * c
    load_rows(c, args, Rows(n, first, stop), Frame(to, frame.width))
