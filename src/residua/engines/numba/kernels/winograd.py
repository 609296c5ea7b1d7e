"""3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3): a quarter of the multiplications.

A part (a fixed share of the batch) is worked on in strips: some rows of tiles of one picture, or a group of
whole pictures where these are small. All that a strip needs fits into the second-level cache:

    forward     rows of x -> scratch -> 36 matrices V (tiles x C) -> M = V U (tiles x K) -> tiles of y
    backward    rows of x -> V, of dy -> M = A dy A^T; dU += V^T M; V <- M U^T; B V B^T added to dx

Neighbouring strips share two rows of x, which stay in the scratch, and two rows of dx, which are finished
with the next strip. The weights' transforms U (36 x C x K) and U^T are made once a step. While the products
of one strip run, the next strip's rows are fetched into the cache: the products leave the memory idle.

Sums (statistics, dU) are kept for each part; their order does not depend on how many threads there are.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels import pictures
from residua.engines.numba.kernels.pictures import (
    fetch_source,
)
from residua.engines.numba.kernels.products import ROWS, product
from residua.engines.numba.kernels.scalars import clear, fetch_to_write, flush, get_int, part_of
from residua.engines.numba.kernels.strips import GAP, fill_strip
from residua.engines.numba.kernels.transforms import (
    PLACES,
    TILE,
    patch_2d,
    tile_2d,
    tile_2d_bias,
    tile_2d_statistics,
)
from residua.engines.numba.kernels.vector import WIDTH, above, fma, inline, load, store


def forward_scratch(width: int, c: int, k: int, group: int, strip: int, chunk: int) -> int:
    """Floats of scratch that `forward` needs for strips of so many rows of tiles and `width` pixels."""
    rows = (TILE * strip + 2) * (TILE * -(-width // TILE) + 2) * c
    return group * rows + PLACES * (chunk * (c + k) + 2 * GAP) + 2 * k + TILE * TILE * k + 256


def forward(c, k, statistics, unused, args, part, scratch):
    """y, and with `statistics` the sums of y and its squares; else bias and ReLU by the lower bound."""
    c, k = np.int64(c), np.int64(k)
    group, chunk, step = (
        get_int(args, pictures.GROUP),
        get_int(args, pictures.CHUNK),
        get_int(args, pictures.STRIP),
    )
    in_height, in_width = get_int(args, pictures.HEIGHT), get_int(args, pictures.BREADTH)
    height, width = get_int(args, pictures.OUT_HEIGHT), get_int(args, pictures.OUT_BREADTH)
    padding = get_int(args, pictures.PADDING)
    u, y = get_int(args, pictures.WEIGHT), get_int(args, pictures.Y)
    down, right = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    breadth = TILE * right + 2
    size = (TILE * step + 2) * breadth * c
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
    start, stop = part_of(get_int(args, pictures.COUNT), part, get_int(args, pictures.PARTS))
    x_row, y_row = in_width * c, width * k
    for first in range(start, stop, group):
        here = min(group, stop - first)
        for top in range(0, down, step):
            bottom = min(top + step, down)
            for g in range(here):
                fill_strip(
                    c, args, first + g, top, bottom, scratch + 4 * g * size, breadth, step, step == down
                )  # fmt: skip
            high = bottom - top
            tiles = here * high * right
            turns = (tiles + chunk - 1) // chunk * PLACES
            lines = here * high * TILE
            x_lines, y_lines = lines * x_row // 16 // turns + 1, lines * y_row // 16 // turns + 1
            last = first + here - 1
            x_next = (last * in_height + max(0, min(in_height, TILE * bottom + 2 - padding))) * x_row
            y_next = (last * height + min(height, TILE * bottom)) * y_row
            for begin in range(0, tiles, chunk):
                some = min(chunk, tiles - begin)
                row, column, g = begin // right % high, begin % right, begin // (right * high)
                for t in range(some):
                    d = scratch + 4 * (g * size + (row * breadth + column) * TILE * c)
                    for i in range(0, c, WIDTH):
                        patch_2d(d + 4 * i, breadth * c, c, v + 4 * (t * c + i), 6 * xv, xv, 0, 0)
                    column += 1
                    if column == right:
                        column, row = 0, row + 1
                        if row == high:
                            row, g = 0, g + 1
                rows = (some + ROWS - 1) // ROWS * ROWS
                for place in range(PLACES):
                    fetch_source(args, x_next, x_lines, stop * in_height * x_row)
                    fetch_to_write(y, y_next, y_lines, stop * height * y_row)
                    x_next += 16 * x_lines
                    y_next += 16 * y_lines
                    vp, mp, up = v + 4 * place * xv, m + 4 * place * xm, u + 4 * place * c * k
                    product(vp, c, 0, 1, up, 0, k, mp, k, rows, k, 1, c, 0)
                row, column, g = begin // right % high, begin % right, begin // (right * high)
                for t in range(some):
                    i0, j0 = TILE * (top + row), TILE * column
                    to = y + 4 * (((first + g) * height + i0) * width + j0) * k
                    whole = i0 + TILE <= height and j0 + TILE <= width
                    for i in range(0, k, WIDTH):
                        a = m + 4 * (t * k + i)
                        if not whole:
                            tile_2d(a, 6 * xm, xm, edge + 4 * i, TILE * k, k, 0, 0)
                        elif statistics:
                            tile_2d_statistics(a, 6 * xm, xm, to + 4 * i, y_row, k, sums + 4 * i, k)
                        else:
                            tile_2d_bias(a, 6 * xm, xm, to + 4 * i, y_row, k, bias + 4 * i, gap)
                    if not whole:
                        here_down, here_right = min(TILE, height - i0), min(TILE, width - j0)
                        keep_edge(
                            k, statistics, edge, to, here_down, here_right, width, sums, bias, bias + 4 * gap
                        )
                    column += 1
                    if column == right:
                        column, row = 0, row + 1
                        if row == high:
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
