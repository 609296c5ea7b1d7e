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

import numpy as np

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.arguments import following
from residua.engines.numba.kernels.pictures.load import sources
from residua.engines.numba.kernels.primitives.prefetch import fetch_four, fetch_results, fetch_to_write
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, above, fma, inline, load, store, zero
from residua.engines.numba.kernels.products.blocks import ROWS
from residua.engines.numba.kernels.products.product import product
from residua.engines.numba.kernels.winograd.strips import fill_strip
from residua.engines.numba.kernels.winograd.tiles import (
    GAP,
    patch_to_places,
    place_count,
    places_along,
    places_to_tile,
    places_to_tile_biased,
    places_to_tile_summed,
    weights_at,
)
from residua.engines.numba.kernels.winograd.transforms import TILE


def forward_scratch(width: int, c: int, k: int, stride: int, group: int, strip: int, chunk: int) -> int:
    """Floats of scratch that `forward` needs for strips of so many rows of tiles, `width` pixels wide."""
    side = TILE * stride
    rows = (side * strip + 2) * (side * -(-width // TILE) + 2) * c
    return group * rows + chunk * (place_count(stride) * (c + k) + 2 * GAP) + 2 * k + TILE * TILE * k + 256


def forward(c, k, statistics, stride, args, part, scratch):
    """y, and with `statistics` the sums of y and its squares; else bias and ReLU by the lower bound."""
    c, k, stride = np.int64(c), np.int64(k), np.int64(stride)
    side = TILE * stride
    along = places_along(stride)
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
    breadth = side * right + 2
    size = (side * step + 2) * breadth * c
    xv, xm = along * along * c + GAP, along * along * k + GAP
    v = scratch + 4 * group * size
    # Where a product's block is as wide as its matrix, it has read its rows before it writes them.
    m = v if c == k and k <= 2 * WIDTH else v + 4 * chunk * xv
    sums = v + 4 * chunk * (xv + xm)
    edge = sums + 8 * k
    bias, gap = (
        get_int(args, pictures.BIAS),
        (get_int(args, pictures.OUT_LOW) - get_int(args, pictures.BIAS)) // 4,
    )
    totals = get_int(args, pictures.SUMS) + 16 * k * part
    clear(scratch, group * size)
    clear(sums, 2 * k)
    count = get_int(args, pictures.COUNT)
    start, stop = part_of(count, part, get_int(args, pictures.PARTS))
    x_row, y_row = in_width * c, width * k
    x, skip, z = sources(args)
    beside = get_int(args, pictures.Y_SKIP) if not statistics else 0
    same = stride == 1 and c == k
    x_end, y_end = count * in_height * x_row, count * height * y_row
    for first in range(start, stop, group):
        here = min(group, stop - first)
        for top in range(0, down, step):
            bottom = min(top + step, down)
            for g in range(here):
                to = scratch + 4 * g * size
                fill_strip(c, stride, args, first + g, top, bottom, to, breadth, step, step == down)
            high = bottom - top
            tiles = here * high * right
            turns = (tiles + chunk - 1) // chunk * along * along + 2 * tiles
            lines = here * high * TILE
            x_lines, y_lines = lines * stride * x_row // 16 // turns + 1, lines * y_row // 16 // turns + 1
            last = first + here - 1
            x_next = (last * in_height + max(0, min(in_height, side * bottom + 2 - padding))) * x_row
            y_next = (last * height + min(height, TILE * bottom)) * y_row
            if bottom == down:
                after = following(args, part, first + here, stop)
                x_next, y_next = after * in_height * x_row, after * height * y_row
            if beside != 0 and same:
                skip = beside + 4 * (y_next - x_next)  # fetched in its stead
            turn = 0
            for begin in range(0, tiles, chunk):
                some = min(chunk, tiles - begin)
                row, column, g = begin // right % high, begin % right, begin // (right * high)
                for t in range(some):
                    turn = _fetch(same, x, skip, z, y, turn, x_next, x_lines, x_end, y_next, y_lines, y_end)
                    d = scratch + 4 * (g * size + (row * breadth + column) * side * c)
                    for i in range(0, c, WIDTH):
                        patch_to_places(stride, d + 4 * i, breadth * c, c, v + 4 * (t * xv + i), c)
                    column += 1
                    if column == right:
                        column, row = 0, row + 1
                        if row == high:
                            row, g = 0, g + 1
                rows = (some + ROWS - 1) // ROWS * ROWS
                for place in range(along * along):
                    turn = _fetch(same, x, skip, z, y, turn, x_next, x_lines, x_end, y_next, y_lines, y_end)
                    vp, mp = v + 4 * place * c, m + 4 * place * k
                    up = u + 4 * weights_at(place, along) * c * k
                    product(vp, xv, 0, 1, up, 0, k, mp, xm, rows, k, 1, c, 0)
                row, column, g = begin // right % high, begin % right, begin // (right * high)
                for t in range(some):
                    turn = _fetch(same, x, skip, z, y, turn, x_next, x_lines, x_end, y_next, y_lines, y_end)
                    i0, j0 = TILE * (top + row), TILE * column
                    to = y + 4 * (((first + g) * height + i0) * width + j0) * k
                    whole = i0 + TILE <= height and j0 + TILE <= width
                    for i in range(0, k, WIDTH):
                        a = m + 4 * (t * xm + i)
                        if not whole:
                            places_to_tile(stride, a, k, edge + 4 * i, TILE * k, k)
                        elif statistics:
                            places_to_tile_summed(stride, a, k, to + 4 * i, y_row, k, sums + 4 * i)
                        else:
                            places_to_tile_biased(stride, a, k, to + 4 * i, y_row, k, bias + 4 * i, gap)
                    if whole and beside != 0:
                        add_skip(k, to, beside + (to - y), y_row)
                    if not whole:
                        here_down, here_right = min(TILE, height - i0), min(TILE, width - j0)
                        keep_edge(
                            k, statistics, edge, to, here_down, here_right, width, sums, bias, bias + 4 * gap,
                            beside + (to - y) if beside != 0 else 0,
                        )  # fmt: skip
                    column += 1
                    if column == right:
                        column, row = 0, row + 1
                        if row == high:
                            row, g = 0, g + 1
        if statistics:
            flush(2 * k, sums, totals, first == start)


@inline
def _fetch(same, x, skip, z, y, turn, x_next, x_lines, x_end, y_next, y_lines, y_end):
    """This turn's lines of what the next strip reads and writes; the next turn. `same`: x has y's shape."""
    first = x_next + 16 * turn * x_lines
    if same:
        fetch_four(x, skip, z, y + 4 * (y_next - x_next), first, x_lines, x_end)
    else:
        fetch_results(x, skip, z, first, x_lines, x_end)
        fetch_to_write(y, y_next + 16 * turn * y_lines, y_lines, y_end)
    return turn + 1


@inline
def add_skip(k, y, skip, row):
    """ReLU of a tile of y plus what lies there beside it."""
    for i in range(TILE):
        for j in range(0, TILE * k, WIDTH):
            store(y, i * row + j, above(zero(), load(y, i * row + j) + load(skip, i * row + j)))


@inline
def keep_edge(k, statistics, edge, to, down, right, width, sums, bias, low, skip):
    """The pixels of a tile that lie inside the picture; with a `skip`, it is added, and then ReLU."""
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
                    if skip != 0:
                        v = above(zero(), v + load(skip, (i * width + j) * k + c))
                store(to, (i * width + j) * k + c, v)
        store(sums, c, total)
        store(sums, k + c, square)
