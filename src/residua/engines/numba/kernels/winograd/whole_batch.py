"""Pictures to matrices of all their tiles and back, for any kernel of Winograd's: see `many_channels`.

Each function here makes the body of a kernel for one `Form`, whose tile and transforms are constants there. A
call does the parts of one group of pictures (`pictures.PARTS_BEFORE`), whose matrices have rows for no other
tiles: those of a whole batch may be gigabytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.arguments import Frame, geometry, inside
from residua.engines.numba.kernels.pictures.load import load_gradient, load_picture, load_span
from residua.engines.numba.kernels.pictures.store import store_gradient
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline
from residua.engines.numba.kernels.products.panels import at_column, width_of
from residua.engines.numba.kernels.winograd.output import Columns, Finish, Inside, add_skip, store_edge
from residua.engines.numba.kernels.winograd.tiles import GAP, Form
from residua.engines.numba.kernels.winograd.two_dimensional import Grid

X_ONLY, BOTH = 1, 2


class Tiles(NamedTuple):
    """A picture's tiles, down and to the right; its floats in the scratch, and the pixels of a row there."""

    down: int
    right: int
    size: int
    width: int


@inline
def tiles_of(c, tile, rim, stride, args):
    """The tiles, so many pixels wide, of a picture of c channels; patches reach `rim` pixels further."""
    g, side = geometry(args), tile * stride
    down, right = (g.out_height + tile - 1) // tile, (g.out_width + tile - 1) // tile
    width = side * right + rim
    return Tiles(down, right, (side * down + rim) * width * c, width)


def scattering(form: Form) -> Callable[..., Any]:
    """The kernel `scatter`."""
    size, rim, places_of = form.tile, form.rim, form.places_of
    patch_to_places, tile_to_places = form.patch_to_places, form.tile_to_places

    @inline
    def scatter(c, k, what, stride, args, part, scratch):
        """V[place, tile, c] = B^T x B; with BOTH also M[place, tile, k] = A dy A^T."""
        g, tiles, side = geometry(args), tiles_of(c, size, rim, stride, args), size * stride
        rows, right, width = g.chunk, tiles.right, tiles.width
        xv, xm = rows * c + GAP, rows * k + GAP
        v, m = get_int(args, pictures.V), get_int(args, pictures.M)
        c_panel, k_panel = width_of(c), width_of(k)
        dy = scratch + 4 * tiles.size
        if what == BOTH:
            clear(dy, size * tiles.down * size * right * k)
        down, before = tiles.down, get_int(args, pictures.TILES_BEFORE)
        units = 1 if what == BOTH else down  # rows of tiles
        start, stop = part_of(g.batch * units, part + get_int(args, pictures.PARTS_BEFORE), g.parts)
        begin, end = start // units, (stop + units - 1) // units
        # Of the border, what is read of it.
        first, last = 0, down
        if end - begin == 1 and units > 1:
            first, last = start % units, (stop - 1) % units + 1
        clear(scratch + 4 * side * first * width * c, (side * (last - first) + rim) * width * c)
        for n in range(begin, end):
            lower, upper = 0, down
            if what == BOTH:
                load_picture(c, args, n, Frame(scratch, width))
                load_gradient(k, args, n, Frame(dy, size * right))
            else:
                lower, upper = max(0, start - n * down), min(down, stop - n * down)
                bottom = g.height + g.padding if upper == down else side * upper + rim
                load_span(c, args, n, side * lower, bottom, Frame(scratch, width))
            for t in range(lower * right, upper * right):
                row, column, tile = t // right, t % right, n * tiles.down * right + t - before
                d = scratch + 4 * (row * width + column) * side * c
                for i in range(0, c, WIDTH):
                    at = at_column(i, rows, c_panel) + tile * c_panel
                    places = places_of(stride, v + 4 * at, xv)
                    patch_to_places(stride, Grid(d + 4 * i, width * c, c), places)
                if what == BOTH:
                    d = dy + 4 * (row * size * right + column) * size * k
                    for i in range(0, k, WIDTH):
                        at = at_column(i, rows, k_panel) + tile * k_panel
                        places = places_of(stride, m + 4 * at, xm)
                        tile_to_places(stride, Grid(d + 4 * i, size * right * k, k), places)

    return scatter


def gathering(form: Form) -> Callable[..., Any]:
    """The kernel `gather`."""
    size, rim, places_of = form.tile, form.rim, form.places_of
    places_to_tile, places_to_tile_summed = form.places_to_tile, form.places_to_tile_summed
    places_to_tile_biased = form.places_to_tile_biased

    @inline
    def gather(c, k, statistics, stride, args, part, scratch):
        """y from M, with the sums of y and its squares, or with bias and ReLU."""
        g, tiles = geometry(args), tiles_of(c, size, rim, stride, args)
        height, width, right = g.out_height, g.out_width, tiles.right
        rows, panel = g.chunk, width_of(k)
        xm = rows * k + GAP
        m, y = get_int(args, pictures.M), get_int(args, pictures.Y)
        sums, edge = scratch, scratch + 8 * k
        bias, low = get_int(args, pictures.BIAS), get_int(args, pictures.OUT_LOW)
        added = get_int(args, pictures.Y_SKIP) if statistics == 0 else 0
        gap, finish = (low - bias) // 4, Finish(sums, bias, low, added)
        pixel = get_int(args, pictures.Y_PIXEL) if statistics == 0 else k
        part, before = part + get_int(args, pictures.PARTS_BEFORE), get_int(args, pictures.TILES_BEFORE)
        totals = get_int(args, pictures.SUMS) + 16 * k * part
        clear(sums, 2 * k)
        units = tiles.down if statistics == 0 else 1  # rows of tiles
        start, stop = part_of(g.batch * units, part, g.parts)
        begin, end = start // units, (stop + units - 1) // units
        for n in range(begin, end):
            lower, upper = 0, tiles.down
            if statistics == 0:
                lower, upper = max(0, start - n * units), min(units, stop - n * units)
            for t in range(lower * right, upper * right):
                row, column, tile = t // right, t % right, n * tiles.down * right + t - before
                to = y + 4 * ((n * height + size * row) * width + size * column) * pixel
                whole = size * row + size <= height and size * column + size <= width
                for i in range(0, k, WIDTH):
                    places = places_of(stride, m + 4 * (at_column(i, rows, panel) + tile * panel), xm)
                    pixels = Grid(to + 4 * i, width * pixel, pixel)
                    if not whole:
                        places_to_tile(stride, places, Grid(edge + 4 * i, size * k, k))
                    elif statistics != 0:
                        places_to_tile_summed(stride, places, pixels, sums + 4 * i, k)
                    else:
                        places_to_tile_biased(stride, places, pixels, bias + 4 * i, gap)
                if whole and added != 0:
                    add_skip(k, pixel, size, to, added + (to - y), width * pixel)
                if not whole:
                    of_tile = Inside(
                        size, min(size, height - size * row), min(size, width - size * column), to - y
                    )
                    store_edge(
                        Columns(0, k, k, pixel), statistics != 0, edge, Frame(to, width), of_tile, finish
                    )
            if statistics != 0:
                flush(2 * k, sums, totals, n == begin)

    return gather


def gathering_gradient(form: Form) -> Callable[..., Any]:
    """The kernel `gather_gradient`."""
    size, rim, places_of = form.tile, form.rim, form.places_of
    places_to_patch = form.places_to_patch

    @inline
    def gather_gradient(c, k, l2, stride, args, part, scratch):
        """dx from V, finished as it leaves."""
        g, tiles, side = geometry(args), tiles_of(c, size, rim, stride, args), size * stride
        right, width = tiles.right, tiles.width
        rows, panel = g.chunk, width_of(c)
        xv = rows * c + GAP
        v, mode = get_int(args, pictures.V), get_int(args, pictures.DX_MODE)
        dx, sums = scratch + 4 * tiles.size, scratch + 8 * tiles.size
        frame, of_dx = Frame(scratch, width), Frame(dx, width)
        part, before = part + get_int(args, pictures.PARTS_BEFORE), get_int(args, pictures.TILES_BEFORE)
        totals = get_int(args, pictures.SUMS) + 16 * c * part
        clear(sums, 2 * c)
        start, stop = part_of(g.batch, part, g.parts)
        for n in range(start, stop):
            clear(dx, tiles.size)
            for t in range(tiles.down * right):
                row, column, tile = t // right, t % right, n * tiles.down * right + t - before
                d = dx + 4 * (row * width + column) * side * c
                for i in range(0, c, WIDTH):
                    places = places_of(stride, v + 4 * (at_column(i, rows, panel) + tile * panel), xv)
                    places_to_patch(stride, places, Grid(d + 4 * i, width * c, c))
            if mode != pictures.PLAIN:
                load_picture(c, args, n, frame)
            store_gradient(c, args, n, inside(of_dx, c, g.padding), frame, sums)
            if mode != pictures.PLAIN:
                flush(2 * c, sums, totals, n == start)

    return gather_gradient
