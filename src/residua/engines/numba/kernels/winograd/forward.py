"""3x3 convolutions by Winograd's F(4x4, 3x3): a quarter of the multiplications.

With a stride of 2 it is 81 places instead of 36, and half the multiplications (`transforms_strided`).

A part (a fixed share of the batch) is worked on in strips: some rows of tiles of one picture, or a group of
whole pictures where these are small. All that a strip needs fits into the second-level cache:

    forward     rows of x -> scratch -> V (tiles x 36 x C) -> M = V U at each place -> tiles of y
    backward    rows of x -> V, of dy -> M = A dy A^T; dU += V^T M; V <- M U^T; B V B^T added to dx

Neighbouring strips share two rows of x, which stay in the scratch, and two rows of dx, which are finished
with the next strip. The weights' transforms U (36 x C x K) and U^T are made once a step. While one strip is
worked on, the next strip's rows are fetched into the cache, a few lines before each tile and each product: a
core has room for a dozen lines on their way, and waits when more are asked for at once.

Sums (statistics, dU) are kept for each part; their order does not depend on how many threads there are.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.arguments import Frame, geometry
from residua.engines.numba.kernels.pictures.load import sources
from residua.engines.numba.kernels.pictures.shape import Cut, Shape
from residua.engines.numba.kernels.primitives.prefetch import fetch, fetch_four, fetch_results, fetch_to_write
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline
from residua.engines.numba.kernels.products.blocks import HALF, PANEL, ROWS
from residua.engines.numba.kernels.products.operands import Left, Result, Right, Size
from residua.engines.numba.kernels.products.product import product, product_of_half
from residua.engines.numba.kernels.winograd.output import Columns, Finish, Inside, add_skip, store_edge
from residua.engines.numba.kernels.winograd.strips import (
    Strip,
    fill_strip,
    lookahead,
    tile_after,
    tile_at,
)
from residua.engines.numba.kernels.winograd.tiles import (
    GAP,
    patch_to_places,
    place_count,
    places_along,
    places_of,
    places_to_tile,
    places_to_tile_biased,
    places_to_tile_summed,
    weights_at,
)
from residua.engines.numba.kernels.winograd.transforms import TILE
from residua.engines.numba.kernels.winograd.two_dimensional import Grid


def forward_scratch(shape: Shape, cut: Cut) -> int:
    """Floats of scratch that `forward` needs."""
    c, k, side = shape.c, shape.k, TILE * shape.stride
    rows = (side * cut.strip + 2) * (side * -(-shape.out_width // TILE) + 2) * c
    places = place_count(shape.stride) * (c + k) + 2 * GAP
    return cut.group * rows + cut.chunk * places + 2 * k + TILE * TILE * k + 256


class Streams(NamedTuple):
    """What is fetched for the next strip: x, the shortcut added to it, the sum of both, and y."""

    x: int
    skip: int
    z: int
    y: int


def forward(c, k, statistics, stride, args, part, scratch):
    """y, and with `statistics` the sums of y and its squares; else bias and ReLU by the lower bound."""
    c, k, stride = np.int64(c), np.int64(k), np.int64(stride)
    side, along = TILE * stride, places_along(stride)
    g, group, chunk = geometry(args), get_int(args, pictures.GROUP), get_int(args, pictures.CHUNK)
    y_pixel = get_int(args, pictures.Y_PIXEL) if statistics == 0 else k
    height, width, y_row = g.out_height, g.out_width, g.out_width * y_pixel
    u, y = get_int(args, pictures.WEIGHT), get_int(args, pictures.Y)
    down, right = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    breadth = side * right + 2
    size = (side * g.strip + 2) * breadth * c
    xv, xm = along * along * c + GAP, along * along * k + GAP
    v = scratch + 4 * group * size
    # Where a product's block is as wide as its matrix, it has read its rows before it writes them.
    m = v if c == k and k <= PANEL else v + 4 * chunk * xv
    sums = v + 4 * chunk * (xv + xm)
    edge = sums + 8 * k
    bias, low = get_int(args, pictures.BIAS), get_int(args, pictures.OUT_LOW)
    added = get_int(args, pictures.Y_SKIP) if not statistics else 0
    finish = Finish(sums, bias, low, added)
    totals = get_int(args, pictures.SUMS) + 16 * k * part
    clear(scratch, group * size)
    clear(sums, 2 * k)
    # Without sums, work is shared by rows of tiles, unless small pictures go together, and by columns.
    units, across = 1, 1
    if statistics == 0:
        units, across = down if group == 1 else 1, get_int(args, pictures.ACROSS)
    start, stop = part_of(g.batch * units, part // across, g.parts // across)
    first_column, last_column = part_of(k // WIDTH, part % across, across)
    first_column, last_column = first_column * WIDTH, last_column * WIDTH
    begin_picture, end_picture = start // units, (stop + units - 1) // units
    x, skip, z = sources(args)
    same = stride == 1 and c == k and y_pixel == k
    for first in range(begin_picture, end_picture, group):
        count = min(group, end_picture - first)
        lower, upper = 0, down
        if units > 1:
            lower, upper = max(0, start - first * units), min(down, stop - first * units)
        for top in range(lower, upper, g.strip):
            strip = Strip(first, count, top, min(top + g.strip, upper), right)
            for number in range(count):
                frame = Frame(scratch + 4 * number * size, breadth)
                fill_strip(c, stride, args, first + number, strip, frame, top == lower)
            tiles = count * (strip.bottom - top) * right
            turns = (tiles + chunk - 1) // chunk * along * along + 2 * tiles
            ahead = lookahead(c, y_pixel, stride, args, part, strip, end_picture, turns)
            if added != 0 and same:
                skip = added + 4 * (ahead.y - ahead.x)  # fetched in its stead
            streams, turn = Streams(x, skip, z, y), 0
            for begin in range(0, tiles, chunk):
                chunk_tiles = min(chunk, tiles - begin)
                tile = tile_at(strip, begin)
                for t in range(chunk_tiles):
                    turn = _fetch(same, statistics, streams, ahead, turn)
                    d = scratch + 4 * (tile.picture * size + (tile.row * breadth + tile.column) * side * c)
                    for i in range(0, c, WIDTH):
                        patch = Grid(d + 4 * i, breadth * c, c)
                        patch_to_places(stride, patch, places_of(stride, v + 4 * (t * xv + i), c))
                    tile = tile_after(strip, tile)
                rows = (chunk_tiles + ROWS - 1) // ROWS * ROWS
                columns = last_column - first_column
                for place in range(along * along):
                    turn = _fetch(same, statistics, streams, ahead, turn)
                    a = Left(v + 4 * place * c, xv, 0, 1)
                    b = Right(u + 4 * (weights_at(place, along) * c * k + first_column), 0, k)
                    to = Result(m + 4 * (place * k + first_column), xm)
                    if statistics == 0 and chunk_tiles <= HALF:
                        product_of_half(a, b, to, Size(HALF, columns, 1, c), 0)
                    else:
                        product(a, b, to, Size(rows, columns, 1, c), 0)
                tile = tile_at(strip, begin)
                for t in range(chunk_tiles):
                    turn = _fetch(same, statistics, streams, ahead, turn)
                    i0, j0 = TILE * (top + tile.row), TILE * tile.column
                    to = y + 4 * (((first + tile.picture) * height + i0) * width + j0) * y_pixel
                    whole = i0 + TILE <= height and j0 + TILE <= width
                    for i in range(first_column, last_column, WIDTH):
                        places = places_of(stride, m + 4 * (t * xm + i), k)
                        pixels = Grid(to + 4 * i, y_row, y_pixel)
                        if not whole:
                            places_to_tile(stride, places, Grid(edge + 4 * i, TILE * k, k))
                        elif statistics:
                            places_to_tile_summed(stride, places, pixels, sums + 4 * i, k)
                        else:
                            places_to_tile_biased(stride, places, pixels, bias + 4 * i, (low - bias) // 4)
                    if whole and added != 0:
                        at, columns = 4 * first_column, last_column - first_column
                        add_skip(columns, y_pixel, TILE, to + at, added + (to - y) + at, y_row)
                    if not whole:
                        part_inside = Inside(TILE, min(TILE, height - i0), min(TILE, width - j0), to - y)
                        range_of = Columns(first_column, last_column, k, y_pixel)
                        store_edge(range_of, statistics, edge, Frame(to, width), part_inside, finish)
                    tile = tile_after(strip, tile)
        if statistics:
            flush(2 * k, sums, totals, first == begin_picture)


@inline
def _fetch(same, statistics, streams, ahead, turn):
    """This turn's lines of what the next strip reads and writes; the next turn. `same`: x has y's shape."""
    first = ahead.x + 16 * turn * ahead.x_lines
    if same:
        y = streams.y + 4 * (ahead.y - ahead.x)
        if statistics:
            fetch_four(streams.x, streams.skip, streams.z, y, first, ahead.x_lines, ahead.x_end)
        elif streams.skip == streams.x:  # finished pictures, as a rule: to ask twice costs as much as once
            fetch(streams.x, first, ahead.x_lines, ahead.x_end)
            fetch_to_write(y, first, ahead.x_lines, ahead.x_end)
        else:
            fetch_results(streams.x, streams.skip, y, first, ahead.x_lines, ahead.x_end)
    else:
        fetch_results(streams.x, streams.skip, streams.z, first, ahead.x_lines, ahead.x_end)
        fetch_to_write(streams.y, ahead.y + 16 * turn * ahead.y_lines, ahead.y_lines, ahead.y_end)
    return turn + 1
