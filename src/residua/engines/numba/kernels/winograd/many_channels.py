"""Winograd's convolution for many channels: the whole batch's tiles before one product for each place.

`winograd.forward` works picture by picture, and reads all transformed weights for every few tiles. From some
200 channels on these are megabytes, and main memory would set the pace. Here the batch goes through in three
steps, each a kernel of its own:

    scatter    pictures -> V, gradients -> M: 36 matrices of all tiles (parts: pictures)
    multiply   one product for each place and panel of columns: every weight is read once
    gather     M -> y, or V -> dx (parts: pictures)

The weights' gradient is one product V^T M a place, without partial sums: nothing to add up afterwards. With a
stride of 2 there are 81 places instead of 36, and those that share a weight add up its gradient.

All matrices lie in panels of columns (`products.panels`).
"""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.arguments import Frame, geometry, inside
from residua.engines.numba.kernels.pictures.load import load_gradient, load_picture, load_span
from residua.engines.numba.kernels.pictures.shape import Shape
from residua.engines.numba.kernels.pictures.store import store_gradient
from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline
from residua.engines.numba.kernels.products.blocks import BLOCK, DEEP, ROWS, pace_of
from residua.engines.numba.kernels.products.operands import Ahead, Left, Result, Right, Size
from residua.engines.numba.kernels.products.panels import at_column, panels_of, width_of
from residua.engines.numba.kernels.products.product import product_ahead
from residua.engines.numba.kernels.products.transposed import Block, Panels, product_transposed
from residua.engines.numba.kernels.winograd.output import Columns, Finish, Inside, add_skip, store_edge
from residua.engines.numba.kernels.winograd.tiles import (
    GAP,
    patch_to_places,
    places_of,
    places_to_patch,
    places_to_tile,
    places_to_tile_biased,
    places_to_tile_summed,
    tile_to_places,
    weights_at,
)
from residua.engines.numba.kernels.winograd.transforms import PATCH, PLACES, TILE
from residua.engines.numba.kernels.winograd.two_dimensional import Grid

X_ONLY, BOTH = 1, 2


def rounded_tiles(shape: Shape) -> int:
    """Rows of V and M: all tiles, and what the last block of a product needs."""
    block = ROWS if tile_count(shape) <= ROWS else BLOCK
    return -(-tile_count(shape) // block) * block


def tile_count(shape: Shape) -> int:
    """Tiles of all pictures."""
    return shape.batch * -(-shape.out_height // TILE) * -(-shape.out_width // TILE)


def scatter_scratch(shape: Shape) -> int:
    """Floats of scratch that any of the kernels needs."""
    down, right, side = -(-shape.out_height // TILE), -(-shape.out_width // TILE), TILE * shape.stride
    c, k = shape.c, shape.k
    picture = (side * down + 2) * (side * right + 2) * c
    return 2 * picture + TILE * down * TILE * right * k + 2 * max(c, k) + TILE * TILE * k + 256


class Tiles(NamedTuple):
    """A picture's tiles, down and to the right; its floats in the scratch, and the pixels of a row there."""

    down: int
    right: int
    size: int
    width: int


@inline
def tiles_of(c, stride, args):
    """The tiles of a picture of c channels."""
    g, side = geometry(args), TILE * stride
    down, right = (g.out_height + TILE - 1) // TILE, (g.out_width + TILE - 1) // TILE
    width = side * right + 2
    return Tiles(down, right, (side * down + 2) * width * c, width)


def scatter(c, k, what, stride, args, part, scratch):
    """V[place, tile, c] = B^T x B; with BOTH also M[place, tile, k] = A dy A^T."""
    g, tiles, side = geometry(args), tiles_of(c, stride, args), TILE * stride
    rows, right, width = g.chunk, tiles.right, tiles.width
    xv, xm = rows * c + GAP, rows * k + GAP
    v, m = get_int(args, pictures.V), get_int(args, pictures.M)
    c_panel, k_panel = width_of(c), width_of(k)
    dy = scratch + 4 * tiles.size
    if what == BOTH:
        clear(dy, TILE * tiles.down * TILE * right * k)
    down = tiles.down
    units = 1 if what == BOTH else down  # rows of tiles
    start, stop = part_of(g.batch * units, part, g.parts)
    begin, end = start // units, (stop + units - 1) // units
    # Of the border, what is read of it.
    first, last = 0, down
    if end - begin == 1 and units > 1:
        first, last = start % units, (stop - 1) % units + 1
    clear(scratch + 4 * side * first * width * c, (side * (last - first) + 2) * width * c)
    for n in range(begin, end):
        lower, upper = 0, down
        if what == BOTH:
            load_picture(c, args, n, Frame(scratch, width))
            load_gradient(k, args, n, Frame(dy, TILE * right))
        else:
            lower, upper = max(0, start - n * down), min(down, stop - n * down)
            bottom = g.height + g.padding if upper == down else side * upper + 2
            load_span(c, args, n, side * lower, bottom, Frame(scratch, width))
        for t in range(lower * right, upper * right):
            row, column, tile = t // right, t % right, n * tiles.down * right + t
            d = scratch + 4 * (row * width + column) * side * c
            for i in range(0, c, WIDTH):
                at = at_column(i, rows, c_panel) + tile * c_panel
                places = places_of(stride, v + 4 * at, xv)
                patch_to_places(stride, Grid(d + 4 * i, width * c, c), places)
            if what == BOTH:
                d = dy + 4 * (row * TILE * right + column) * TILE * k
                for i in range(0, k, WIDTH):
                    at = at_column(i, rows, k_panel) + tile * k_panel
                    places = places_of(stride, m + 4 * at, xm)
                    tile_to_places(stride, Grid(d + 4 * i, TILE * right * k, k), places)


class Multiply(NamedTuple):
    """What `multiply` and `multiply_transposed` are given.

    shares: of the columns. rows, columns, inner: of the product. a, b, c: the matrices, and how far their
    places are apart. tiles: rows of V and M as they lie. along: places along a tile's side.
    """

    parts: int
    shares: int
    rows: int
    columns: int
    inner: int
    a: int
    b: int
    c: int
    a_places: int
    b_places: int
    c_places: int
    tiles: int
    along: int


_multiply = reader(Multiply)


def multiply(l0, l1, l2, l3, args, part, scratch):
    """C_p = A_p B_w for this part's place p, its weights w and panels of columns."""
    p = _multiply(args)
    rows, inner = p.rows, p.inner
    place, panel, deep = part // p.shares, width_of(p.columns), width_of(inner)
    a = p.a + 4 * place * p.a_places
    b = p.b + 4 * weights_at(place, p.along) * p.b_places
    c = p.c + 4 * place * p.c_places
    first, last = panels_of(p.columns, panel, part % p.shares, p.shares)
    for column in range(first, last, panel):
        for depth in range(0, inner, DEEP):
            steps = min(DEEP, inner - depth)
            at = column * inner + depth * panel
            lines = steps * panel // 16 * BLOCK // rows + 1
            # B is one stream: what comes next is on its way while these rows are multiplied.
            pace = pace_of(lines, BLOCK, panel, steps)
            for row in range(0, rows, BLOCK):
                product_ahead(
                    Left(a + 4 * (depth * rows + row * deep), deep, deep * rows, 1),
                    Right(b + 4 * at, deep * panel, panel),
                    Result(c + 4 * (column * rows + row * panel), panel),
                    Size(min(BLOCK, rows), panel, steps // deep, deep),
                    depth,
                    Ahead(b + 4 * (at + steps * panel + row // BLOCK * 16 * lines), pace),
                )


def multiply_transposed(l0, l1, l2, l3, args, part, scratch):
    """C_w = the sum of A_p^T B_p over the places p that are multiplied with weights w.

    Rows and columns are those of C. The last weights, with most places, come first.
    """
    p = _multiply(args)
    rows, inner, along = p.rows, p.inner, p.along
    weights, panel, wide = PLACES - 1 - part // p.shares, width_of(p.columns), width_of(rows)
    c = p.c + 4 * weights * p.c_places
    first, last = panels_of(p.columns, panel, part % p.shares, p.shares)
    top, left = weights // PATCH, weights % PATCH
    bottom = along if top == PATCH - 1 else top + 1
    right = along if left == PATCH - 1 else left + 1
    for column in range(first, last, panel):
        for i in range(top, bottom):
            for j in range(left, right):
                a = Panels(p.a + 4 * (i * along + j) * p.a_places, p.tiles, wide)
                b = Panels(p.b + 4 * (i * along + j) * p.b_places, p.tiles, panel)
                for depth in range(0, inner, DEEP):
                    steps, accumulate = min(DEEP, inner - depth), i > top or j > left or depth > 0
                    # The next block of C is on its way: few tiles, and most time goes into writing it.
                    pace = pace_of(wide * panel // 16 + 1, wide, panel, steps)
                    for row in range(0, rows, wide):
                        to = c + 4 * (column * rows + row * panel)
                        block = Block(row, wide, column, depth, steps)
                        ahead = Ahead(to + 4 * wide * panel, pace)
                        product_transposed(a, b, Result(to, panel), block, accumulate, ahead)


def gather(c, k, statistics, stride, args, part, scratch):
    """y from M, with the sums of y and its squares, or with bias and ReLU."""
    g, tiles = geometry(args), tiles_of(c, stride, args)
    height, width, right = g.out_height, g.out_width, tiles.right
    rows, panel = g.chunk, width_of(k)
    xm = rows * k + GAP
    m, y = get_int(args, pictures.M), get_int(args, pictures.Y)
    sums, edge = scratch, scratch + 8 * k
    bias, low = get_int(args, pictures.BIAS), get_int(args, pictures.OUT_LOW)
    added = get_int(args, pictures.Y_SKIP) if statistics == 0 else 0
    gap, finish = (low - bias) // 4, Finish(sums, bias, low, added)
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
            row, column, tile = t // right, t % right, n * tiles.down * right + t
            to = y + 4 * ((n * height + TILE * row) * width + TILE * column) * k
            whole = TILE * row + TILE <= height and TILE * column + TILE <= width
            for i in range(0, k, WIDTH):
                places = places_of(stride, m + 4 * (at_column(i, rows, panel) + tile * panel), xm)
                pixels = Grid(to + 4 * i, width * k, k)
                if not whole:
                    places_to_tile(stride, places, Grid(edge + 4 * i, TILE * k, k))
                elif statistics != 0:
                    places_to_tile_summed(stride, places, pixels, sums + 4 * i, k)
                else:
                    places_to_tile_biased(stride, places, pixels, bias + 4 * i, gap)
            if whole and added != 0:
                add_skip(k, k, to, added + (to - y), width * k)
            if not whole:
                of_tile = Inside(min(TILE, height - TILE * row), min(TILE, width - TILE * column), to - y)
                store_edge(Columns(0, k, k), statistics != 0, edge, Frame(to, width), of_tile, finish)
        if statistics != 0:
            flush(2 * k, sums, totals, n == begin)


def gather_gradient(c, k, l2, stride, args, part, scratch):
    """dx from V, finished as it leaves."""
    g, tiles, side = geometry(args), tiles_of(c, stride, args), TILE * stride
    right, width = tiles.right, tiles.width
    rows, panel = g.chunk, width_of(c)
    xv = rows * c + GAP
    v, mode = get_int(args, pictures.V), get_int(args, pictures.DX_MODE)
    dx, sums = scratch + 4 * tiles.size, scratch + 8 * tiles.size
    frame, of_dx = Frame(scratch, width), Frame(dx, width)
    totals = get_int(args, pictures.SUMS) + 16 * c * part
    clear(sums, 2 * c)
    start, stop = part_of(g.batch, part, g.parts)
    for n in range(start, stop):
        clear(dx, tiles.size)
        for t in range(tiles.down * right):
            row, column, tile = t // right, t % right, n * tiles.down * right + t
            d = dx + 4 * (row * width + column) * side * c
            for i in range(0, c, WIDTH):
                places = places_of(stride, v + 4 * (at_column(i, rows, panel) + tile * panel), xv)
                places_to_patch(stride, places, Grid(d + 4 * i, width * c, c))
        if mode != pictures.PLAIN:
            load_picture(c, args, n, frame)
        store_gradient(c, args, n, inside(of_dx, c, g.padding), frame, sums)
        if mode != pictures.PLAIN:
            flush(2 * c, sums, totals, n == start)
