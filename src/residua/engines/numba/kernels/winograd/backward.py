"""Winograd's way backward: dx and dU of a 3x3 convolution (see `winograd.forward`)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.arguments import Frame, Rows, geometry, gradient_source
from residua.engines.numba.kernels.pictures.load import load_gradient_rows
from residua.engines.numba.kernels.pictures.shape import Cut, Shape
from residua.engines.numba.kernels.pictures.store import store_gradient_rows
from residua.engines.numba.kernels.primitives.prefetch import fetch, fetch_pair, fetch_results, fetch_three
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store
from residua.engines.numba.kernels.products.blocks import ROWS
from residua.engines.numba.kernels.products.operands import Left, Result, Right, Size
from residua.engines.numba.kernels.products.product import product
from residua.engines.numba.kernels.winograd.strips import (
    Strip,
    fill_strip,
    lookahead,
    tile_after,
    tile_at,
)
from residua.engines.numba.kernels.winograd.tiles import (
    GAP,
    clear_edges,
    finished_to_places,
    patch_to_places,
    place_count,
    places_along,
    places_of,
    places_to_patch,
    places_to_weight,
    square_of,
    tile_to_places,
    weights_at,
)
from residua.engines.numba.kernels.winograd.transforms import PATCH, PLACES, TILE
from residua.engines.numba.kernels.winograd.two_dimensional import Grid


def backward_scratch(shape: Shape, cut: Cut) -> int:
    """Floats of scratch that `backward` needs."""
    c, k, side, right = shape.c, shape.k, TILE * shape.stride, -(-shape.out_width // TILE)
    rows = (side * cut.strip + 2) * (side * right + 2) * c
    gradient = TILE * cut.strip * TILE * right * k
    places = place_count(shape.stride) * (c + k) + 2 * GAP
    return cut.group * (2 * rows + gradient) + cut.chunk * places + 2 * c + PLACES * c * k + 256


class Streams(NamedTuple):
    """What is fetched for the next strip: x, and the two that dy is finished from."""

    x: int
    dy: int
    raw: int


def backward(c, k, stride, input_only, args, part, scratch):
    """dx and, unless it is `input_only`, the gradient by the weight of this part's pictures.

    Transformed back here, it is a quarter of dU: what the parts' sums take of memory and time.
    """
    c, k, stride, input_only = np.int64(c), np.int64(k), np.int64(stride), np.int64(input_only)
    side, along = TILE * stride, places_along(stride)
    g, group, chunk = geometry(args), get_int(args, pictures.GROUP), get_int(args, pictures.CHUNK)
    height, width = g.out_height, g.out_width
    u = get_int(args, pictures.WEIGHT)
    down, right = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    breadth = side * right + 2
    size, gradient = (side * g.strip + 2) * breadth * c, TILE * g.strip * TILE * right * k
    xv, xm = along * along * c + GAP, along * along * k + GAP
    dx = scratch + 4 * group * size
    dy = dx + 4 * group * size
    v = dy + 4 * group * gradient
    m = v + 4 * chunk * xv
    sums = m + 4 * chunk * xm
    du = sums + 8 * c
    totals = get_int(args, pictures.SUMS) + 16 * c * part
    clear(scratch, group * size)
    clear(dy, group * gradient)
    clear(sums, 2 * c)
    start, stop = part_of(g.batch, part, g.parts)
    s = gradient_source(args)
    streams = Streams(get_int(args, pictures.X), s.dy, s.raw)
    x_raw, skip, result = (
        get_int(args, pictures.X_RAW),
        get_int(args, pictures.DX_SKIP),
        get_int(args, pictures.DX),
    )
    mode = get_int(args, pictures.DX_MODE)
    if mode == pictures.PLAIN or x_raw == streams.x:
        x_raw = result  # fetched anyway
    if mode != pictures.SUMMED_SKIP:
        skip = result
    same = stride == 1 and c == k
    # Where all tiles are whole, gradients are finished on their way into the transform.
    unfinished = s.mode == pictures.AFFINE
    unfinished = unfinished and height % TILE == 0 and width % TILE == 0
    gap = (s.b - s.a) // 4
    started = 0
    for first in range(start, stop, group):
        count = min(group, stop - first)
        for top in range(0, down, g.strip):
            strip = Strip(first, count, top, min(top + g.strip, down), right)
            bottom = strip.bottom
            for number in range(count):
                frame = Frame(scratch + 4 * number * size, breadth)
                if input_only == 0 or mode != pictures.PLAIN:
                    fill_strip(c, stride, args, first + number, strip, frame, top == 0)
                end = min(height, TILE * bottom)
                if unfinished:
                    continue
                to = dy + 4 * number * gradient
                load_gradient_rows(k, args, Rows(first + number, TILE * top, end), Frame(to, TILE * right))
                if g.strip != down and end < TILE * bottom:
                    rest = TILE * right * k
                    clear(to + 4 * (end - TILE * top) * rest, (TILE * bottom - end) * rest)
            for number in range(count):
                frame = Frame(dx + 4 * number * size, breadth)
                clear_edges(stride, c, frame, side * (bottom - top), top == 0)
            tiles = count * (bottom - top) * right
            turns = (tiles + chunk - 1) // chunk * along * along + tiles
            ahead = lookahead(c, k, stride, args, part, strip, stop, turns)
            at_x = (first * g.height + max(0, side * top - g.padding)) * g.width * c
            turn = 0
            for begin in range(0, tiles, chunk):
                chunk_tiles = min(chunk, tiles - begin)
                tile = tile_at(strip, begin)
                for t in range(chunk_tiles):
                    turn = _fetch(same, streams, ahead, turn)
                    d = scratch + 4 * (tile.picture * size + (tile.row * breadth + tile.column) * side * c)
                    if input_only == 0:
                        for i in range(0, c, WIDTH):
                            patch = Grid(d + 4 * i, breadth * c, c)
                            patch_to_places(stride, patch, places_of(stride, v + 4 * (t * xv + i), c))
                    d = dy + 4 * (
                        tile.picture * gradient + (tile.row * TILE * right + tile.column) * TILE * k
                    )
                    i0, j0 = TILE * (top + tile.row), TILE * tile.column
                    at = 4 * (((first + tile.picture) * height + i0) * width + j0) * k
                    for i in range(0, k, WIDTH):
                        a, to = at + 4 * i, places_of(stride, m + 4 * (t * xm + i), k)
                        if unfinished:
                            of_dy, of_raw = Grid(s.dy + a, width * k, k), Grid(s.raw + a, width * k, k)
                            finished_to_places(stride, of_dy, of_raw, to, s.a + 4 * i, gap)
                        else:
                            tile_to_places(stride, Grid(d + 4 * i, TILE * right * k, k), to)
                    tile = tile_after(strip, tile)
                rows = (chunk_tiles + ROWS - 1) // ROWS * ROWS
                for place in range(along * along):
                    turn = _fetch(same, streams, ahead, turn)
                    vp, mp = v + 4 * place * c, m + 4 * place * k
                    at = 4 * weights_at(place, along) * c * k
                    # Places that share a weight add up their gradients.
                    accumulate = started | (place >= PATCH * along) | (place % along >= PATCH)
                    size_of_du = Size(c, k, 1, chunk_tiles)
                    if input_only == 0:
                        to = Result(du + at, k)
                        product(Left(vp, 1, 0, xv), Right(mp, 0, xm), to, size_of_du, accumulate)
                    fetch_results(x_raw, skip, result, at_x, ahead.x_lines, ahead.x_end)
                    at_x += 16 * ahead.x_lines
                    product(Left(mp, xm, 0, 1), Right(u + at, 0, c), Result(vp, xv), Size(rows, c, 1, k), 0)
                started = 1
                tile = tile_at(strip, begin)
                for t in range(chunk_tiles):
                    fetch_results(x_raw, skip, result, at_x, ahead.x_lines, ahead.x_end)
                    at_x += 16 * ahead.x_lines
                    d = dx + 4 * (tile.picture * size + (tile.row * breadth + tile.column) * side * c)
                    for i in range(0, c, WIDTH):
                        places = places_of(stride, v + 4 * (t * xv + i), c)
                        places_to_patch(stride, places, Grid(d + 4 * i, breadth * c, c))
                    tile = tile_after(strip, tile)
            # Two rows more get something from the next strip.
            done = side * bottom if bottom < down else side * bottom + 2
            begin_row = max(0, side * top - g.padding)
            inside = 4 * ((begin_row + g.padding - side * top) * breadth + g.padding) * c
            for number in range(count):
                a, b = dx + 4 * number * size, scratch + 4 * number * size
                rows_done = Rows(first + number, begin_row, min(g.height, done - g.padding))
                of_dx, of_x = Frame(a + inside, breadth), Frame(b + inside, breadth)
                store_gradient_rows(c, args, rows_done, of_dx, of_x, sums)
            if bottom < down:
                rest = side * g.strip * breadth * c
                for i in range(0, 2 * breadth * c, WIDTH):
                    store(dx, i, load(dx + 4 * rest, i))
        if mode != pictures.PLAIN:
            flush(2 * c, sums, totals, first == start)
    if input_only != 0:
        return
    dweight = get_int(args, pictures.WEIGHT_GRADIENT) + 4 * 9 * c * k * part
    for i in range(0, c * k, WIDTH):
        places_to_weight(stride, square_of(PATCH, du + 4 * i, c * k), square_of(3, dweight + 4 * i, c * k))


@inline
def _fetch(same, streams, ahead, turn):
    """This turn's lines of what the next strip reads; the next turn. `same`: x has dy's shape."""
    first = ahead.x + 16 * turn * ahead.x_lines
    if same:
        shift = 4 * (ahead.y - ahead.x)
        fetch_three(streams.x, streams.dy + shift, streams.raw + shift, first, ahead.x_lines, ahead.x_end)
    else:
        fetch(streams.x, first, ahead.x_lines, ahead.x_end)
        at = ahead.y + 16 * turn * ahead.y_lines
        fetch_pair(streams.dy, streams.raw, at, ahead.y_lines, ahead.y_end)
    return turn + 1
