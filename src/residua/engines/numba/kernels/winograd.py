"""3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3): a quarter of the multiplications.

A part (a fixed share of the batch) is worked on in groups of pictures that fit into the second-level cache,
each group in chunks of tiles:

    forward     picture -> scratch -> 36 matrices V (tiles x C) -> M = V U (tiles x K) -> tiles of y
    backward    picture -> V, gradient -> M = A dy A^T; dU += V^T M, V <- M U^T, and B V B^T added to dx

The weights' transforms U (36 x C x K) and U^T are made once a step. While the products of one group run,
the next group's pictures are fetched into the cache: the products leave the memory idle.

Sums (statistics, dU) are kept for each part; their order does not depend on how many threads there are.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels import pictures
from residua.engines.numba.kernels.pictures import fetch_source, keep_gradient, load_gradient, load_picture
from residua.engines.numba.kernels.products import ROWS, product
from residua.engines.numba.kernels.scalars import clear, fetch, fetch_to_write, flush, get_int, part_of
from residua.engines.numba.kernels.transforms import (
    PLACES,
    TILE,
    patch_2d,
    patch_back_2d,
    spread_2d,
    tile_2d,
    tile_2d_bias,
    tile_2d_statistics,
)
from residua.engines.numba.kernels.vector import WIDTH, above, fma, inline, load, store

GAP = 16  # floats between the 36 matrices: a distance of whole pages would make them share cache lines


def forward_scratch(height: int, width: int, c: int, k: int, group: int, chunk: int) -> int:
    """Floats of scratch that `forward` needs for an output of height x width."""
    down, right = -(-height // TILE), -(-width // TILE)
    picture = (TILE * down + 2) * (TILE * right + 2) * c
    return group * picture + PLACES * (chunk * (c + k) + 2 * GAP) + 2 * k + TILE * TILE * k + 256


def forward(c, k, statistics, unused, args, part, scratch):
    """y, and with `statistics` the sums of y and its squares; else bias and ReLU by the lower bound."""
    c, k = np.int64(c), np.int64(k)
    count, group, chunk = (
        get_int(args, pictures.COUNT),
        get_int(args, pictures.GROUP),
        get_int(args, pictures.CHUNK),
    )
    height, width = get_int(args, pictures.OUT_HEIGHT), get_int(args, pictures.OUT_BREADTH)
    u, y = get_int(args, pictures.WEIGHT), get_int(args, pictures.Y)
    down, right = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    breadth = TILE * right + 2
    size = (TILE * down + 2) * breadth * c
    xv, xm = chunk * c + GAP, chunk * k + GAP
    v = scratch + 4 * group * size
    m = v + 4 * PLACES * xv
    sums = m + 4 * PLACES * xm
    edge = sums + 8 * k
    bias, gap = (
        get_int(args, pictures.BIAS),
        (get_int(args, pictures.OUT_LOW) - get_int(args, pictures.BIAS)) // 4,
    )
    totals = get_int(args, pictures.SUMS) + 16 * k * part
    clear(scratch, group * size)
    clear(sums, 2 * k)
    start, stop = part_of(count, part, get_int(args, pictures.PARTS))
    x_size = get_int(args, pictures.HEIGHT) * get_int(args, pictures.BREADTH) * c
    y_size = height * width * k
    for first in range(start, stop, group):
        here = min(group, stop - first)
        for g in range(here):
            load_picture(c, args, first + g, scratch + 4 * g * size, breadth)
        tiles = here * down * right
        turns = (tiles + chunk - 1) // chunk * PLACES
        x_lines, y_lines = here * x_size // 16 // turns + 1, here * y_size // 16 // turns + 1
        x_next, y_next = (first + here) * x_size, (first + here) * y_size
        for begin in range(0, tiles, chunk):
            some = min(chunk, tiles - begin)
            row, column, g = begin // right % down, begin % right, begin // (right * down)
            for t in range(some):
                d = scratch + 4 * (g * size + (row * breadth + column) * TILE * c)
                for i in range(0, c, WIDTH):
                    patch_2d(d + 4 * i, breadth * c, c, v + 4 * (t * c + i), 6 * xv, xv, 0, 0)
                column += 1
                if column == right:
                    column, row = 0, row + 1
                    if row == down:
                        row, g = 0, g + 1
            rows = (some + ROWS - 1) // ROWS * ROWS
            for place in range(PLACES):
                fetch_source(args, x_next, x_lines, stop * x_size)
                fetch_to_write(y, y_next, y_lines, stop * y_size)
                x_next += 16 * x_lines
                y_next += 16 * y_lines
                product(
                    v + 4 * place * xv,
                    c,
                    0,
                    1,
                    u + 4 * place * c * k,
                    0,
                    k,
                    m + 4 * place * xm,
                    k,
                    rows,
                    k,
                    1,
                    c,
                    0,
                )
            row, column, g = begin // right % down, begin % right, begin // (right * down)
            for t in range(some):
                to = y + 4 * (((first + g) * height + TILE * row) * width + TILE * column) * k
                whole = TILE * row + TILE <= height and TILE * column + TILE <= width
                for i in range(0, k, WIDTH):
                    a = m + 4 * (t * k + i)
                    if not whole:
                        tile_2d(a, 6 * xm, xm, edge + 4 * i, TILE * k, k, 0, 0)
                    elif statistics:
                        tile_2d_statistics(a, 6 * xm, xm, to + 4 * i, width * k, k, sums + 4 * i, k)
                    else:
                        tile_2d_bias(a, 6 * xm, xm, to + 4 * i, width * k, k, bias + 4 * i, gap)
                if not whole:
                    down_here, right_here = min(TILE, height - TILE * row), min(TILE, width - TILE * column)
                    keep_edge(
                        k, statistics, edge, to, down_here, right_here, width, sums, bias, bias + 4 * gap
                    )
                column += 1
                if column == right:
                    column, row = 0, row + 1
                    if row == down:
                        row, g = 0, g + 1
        if statistics:
            flush(2 * k, sums, totals, first == start)


@inline
def keep_edge(k, statistics, edge, to, down, right, width, sums, bias, low):
    """The pixels of a tile that lie inside the picture."""
    for c in range(0, k, WIDTH):
        total, square = load(sums, c), load(sums, k + c)
        for i in range(down):
            for j in range(right):
                v = load(edge, (TILE * i + j) * k + c)
                if statistics:
                    total = total + v
                    square = fma(v, v, square)
                else:
                    v = above(load(low, c), v + load(bias, c))
                store(to, (i * width + j) * k + c, v)
        store(sums, c, total)
        store(sums, k + c, square)


def backward_scratch(height: int, width: int, c: int, k: int, group: int, chunk: int) -> int:
    """Floats of scratch that `backward` needs for an output of height x width."""
    down, right = -(-height // TILE), -(-width // TILE)
    picture = (TILE * down + 2) * (TILE * right + 2) * c
    gradient = TILE * down * TILE * right * k
    return group * (2 * picture + gradient) + PLACES * (chunk * (c + k) + 2 * GAP) + 2 * c + 256


def backward(c, k, unused, unused_too, args, part, scratch):
    """dx and this part's dU."""
    c, k = np.int64(c), np.int64(k)
    count, group, chunk = (
        get_int(args, pictures.COUNT),
        get_int(args, pictures.GROUP),
        get_int(args, pictures.CHUNK),
    )
    height, width = get_int(args, pictures.OUT_HEIGHT), get_int(args, pictures.OUT_BREADTH)
    padding = get_int(args, pictures.PADDING)
    u, du = (
        get_int(args, pictures.WEIGHT),
        get_int(args, pictures.WEIGHT_GRADIENT) + 4 * PLACES * c * k * part,
    )
    down, right = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    breadth = TILE * right + 2
    size, gradient = (TILE * down + 2) * breadth * c, TILE * down * TILE * right * k
    xv, xm = chunk * c + GAP, chunk * k + GAP
    dx = scratch + 4 * group * size
    dy = dx + 4 * group * size
    v = dy + 4 * group * gradient
    m = v + 4 * PLACES * xv
    sums = m + 4 * PLACES * xm
    totals = get_int(args, pictures.SUMS) + 16 * c * part
    clear(scratch, group * size)
    clear(dy, group * gradient)
    clear(sums, 2 * c)
    start, stop = part_of(count, part, get_int(args, pictures.PARTS))
    x, g_in, raw = get_int(args, pictures.X), get_int(args, pictures.DY), get_int(args, pictures.RAW)
    x_raw, skip, result = (
        get_int(args, pictures.X_RAW),
        get_int(args, pictures.DX_SKIP),
        get_int(args, pictures.DX),
    )
    mode = get_int(args, pictures.DX_MODE)
    x_size = get_int(args, pictures.HEIGHT) * get_int(args, pictures.BREADTH) * c
    y_size = height * width * k
    more = 0
    for first in range(start, stop, group):
        here = min(group, stop - first)
        for g in range(here):
            load_picture(c, args, first + g, scratch + 4 * g * size, breadth)
            load_gradient(k, args, first + g, dy + 4 * g * gradient, TILE * right)
        clear(dx, here * size)
        tiles = here * down * right
        turns = (tiles + chunk - 1) // chunk * PLACES
        x_lines, y_lines = here * x_size // 16 // turns + 1, here * y_size // 16 // turns + 1
        x_next, y_next = (first + here) * x_size, (first + here) * y_size
        x_here = first * x_size
        for begin in range(0, tiles, chunk):
            some = min(chunk, tiles - begin)
            row, column, g = begin // right % down, begin % right, begin // (right * down)
            for t in range(some):
                d = scratch + 4 * (g * size + (row * breadth + column) * TILE * c)
                for i in range(0, c, WIDTH):
                    patch_2d(d + 4 * i, breadth * c, c, v + 4 * (t * c + i), 6 * xv, xv, 0, 0)
                d = dy + 4 * (g * gradient + (row * TILE * right + column) * TILE * k)
                for i in range(0, k, WIDTH):
                    spread_2d(d + 4 * i, TILE * right * k, k, m + 4 * (t * k + i), 6 * xm, xm, 0, 0)
                column += 1
                if column == right:
                    column, row = 0, row + 1
                    if row == down:
                        row, g = 0, g + 1
            rows = (some + ROWS - 1) // ROWS * ROWS
            for place in range(PLACES):
                fetch(g_in, y_next, y_lines, stop * y_size)
                fetch(raw, y_next, y_lines, stop * y_size)
                fetch(x, x_next, x_lines, stop * x_size)
                if mode != pictures.PLAIN and x_raw != x:
                    fetch(x_raw, x_here, x_lines, stop * x_size)
                if mode == pictures.SUMMED_SKIP:
                    fetch(skip, x_here, x_lines, stop * x_size)
                fetch_to_write(result, x_here, x_lines, stop * x_size)
                x_next += 16 * x_lines
                x_here += 16 * x_lines
                y_next += 16 * y_lines
                vp, mp = v + 4 * place * xv, m + 4 * place * xm
                product(vp, 1, 0, c, mp, 0, k, du + 4 * place * c * k, k, c, k, 1, some, more)
                product(mp, k, 0, 1, u + 4 * place * c * k, 0, c, vp, c, rows, c, 1, k, 0)
            more = 1
            row, column, g = begin // right % down, begin % right, begin // (right * down)
            for t in range(some):
                d = dx + 4 * (g * size + (row * breadth + column) * TILE * c)
                for i in range(0, c, WIDTH):
                    patch_back_2d(v + 4 * (t * c + i), 6 * xv, xv, d + 4 * i, breadth * c, c, 0, 0)
                column += 1
                if column == right:
                    column, row = 0, row + 1
                    if row == down:
                        row, g = 0, g + 1
        for g in range(here):
            inside = dx + 4 * (g * size + (padding * breadth + padding) * c)
            keep_gradient(c, args, first + g, inside, breadth, scratch + 4 * g * size, breadth, sums)
        if mode != pictures.PLAIN:
            flush(2 * c, sums, totals, first == start)
