"""Winograd's convolution for many channels: the whole batch's tiles before one product for each place.

`winograd` works picture by picture, and reads all transformed weights for every few tiles. From some 200
channels on these are megabytes, and main memory would set the pace. Here the batch goes through in three
steps, each a kernel of its own:

    scatter    pictures -> V, gradients -> M: 36 matrices of all tiles (parts: pictures)
    multiply   one product for each place and panel of columns: every weight is read once
    gather     M -> y, or V -> dx (parts: pictures)

The weights' gradient is one product V^T M a place, without partial sums: nothing to add up afterwards.
"""

from __future__ import annotations

from residua.engines.numba.kernels import pictures
from residua.engines.numba.kernels.pictures import keep_gradient, load_gradient, load_picture
from residua.engines.numba.kernels.products import product
from residua.engines.numba.kernels.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.tiles import GAP
from residua.engines.numba.kernels.transforms import (
    TILE,
    patch_2d,
    patch_back_2d,
    spread_2d,
    tile_2d,
    tile_2d_bias,
    tile_2d_statistics,
)
from residua.engines.numba.kernels.vector import WIDTH
from residua.engines.numba.kernels.winograd import keep_edge

X_ONLY, BOTH = 1, 2


def rounded_tiles(count: int, height: int, width: int) -> int:
    """Rows of V and M: all tiles, and what the last block of a product needs."""
    tiles = count * -(-height // TILE) * -(-width // TILE)
    return -(-tiles // WIDTH) * WIDTH


def scatter_scratch(height: int, width: int, c: int, k: int) -> int:
    """Floats of scratch that any of the kernels needs for an output of height x width."""
    down, right = -(-height // TILE), -(-width // TILE)
    picture = (TILE * down + 2) * (TILE * right + 2) * c
    return 2 * picture + TILE * down * TILE * right * k + 2 * max(c, k) + TILE * TILE * k + 256


def scatter(c, k, what, l3, args, part, scratch):
    """V[place, tile, c] = B^T x B; with BOTH also M[place, tile, k] = A dy A^T."""
    height, width = get_int(args, pictures.OUT_HEIGHT), get_int(args, pictures.OUT_BREADTH)
    down, right = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    breadth = TILE * right + 2
    size = (TILE * down + 2) * breadth * c
    rows = get_int(args, pictures.CHUNK)
    xv, xm = rows * c + GAP, rows * k + GAP
    v, m = get_int(args, pictures.V), get_int(args, pictures.M)
    dy = scratch + 4 * size
    clear(scratch, size)
    if what == BOTH:
        clear(dy, TILE * down * TILE * right * k)
    start, stop = part_of(get_int(args, pictures.COUNT), part, get_int(args, pictures.PARTS))
    for n in range(start, stop):
        load_picture(c, args, n, scratch, breadth)
        if what == BOTH:
            load_gradient(k, args, n, dy, TILE * right)
        for t in range(down * right):
            row, column, tile = t // right, t % right, n * down * right + t
            d = scratch + 4 * (row * breadth + column) * TILE * c
            for i in range(0, c, WIDTH):
                patch_2d(d + 4 * i, breadth * c, c, v + 4 * (tile * c + i), 6 * xv, xv, 0, 0)
            if what == BOTH:
                d = dy + 4 * (row * TILE * right + column) * TILE * k
                for i in range(0, k, WIDTH):
                    spread_2d(d + 4 * i, TILE * right * k, k, m + 4 * (tile * k + i), 6 * xm, xm, 0, 0)


def multiply(l0, l1, l2, l3, args, part, scratch):
    """C_p = A_p B_p for this part's place p and panel of columns.

    Block: parts, panels, rows, columns, inner; then address, distance of the places and steps (in floats) of
    A (place, row, inner), B (place, inner), C (place, row).
    """
    panels, rows, columns, inner = get_int(args, 1), get_int(args, 2), get_int(args, 3), get_int(args, 4)
    place = part // panels
    first, last = part_of(columns // WIDTH, part % panels, panels)
    a = get_int(args, 5) + 4 * place * get_int(args, 6)
    b = get_int(args, 9) + 4 * (place * get_int(args, 10) + first * WIDTH)
    c = get_int(args, 12) + 4 * (place * get_int(args, 13) + first * WIDTH)
    product(
        a, get_int(args, 7), 0, get_int(args, 8), b, 0, get_int(args, 11), c, get_int(args, 14),
        rows, (last - first) * WIDTH, 1, inner, 0,
    )  # fmt: skip


def gather(c, k, statistics, l3, args, part, scratch):
    """y from M, with the sums of y and its squares, or with bias and ReLU."""
    height, width = get_int(args, pictures.OUT_HEIGHT), get_int(args, pictures.OUT_BREADTH)
    down, right = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    xm = get_int(args, pictures.CHUNK) * k + GAP
    m, y = get_int(args, pictures.M), get_int(args, pictures.Y)
    sums, edge = scratch, scratch + 8 * k
    bias, low = get_int(args, pictures.BIAS), get_int(args, pictures.OUT_LOW)
    totals = get_int(args, pictures.SUMS) + 16 * k * part
    clear(sums, 2 * k)
    start, stop = part_of(get_int(args, pictures.COUNT), part, get_int(args, pictures.PARTS))
    for n in range(start, stop):
        for t in range(down * right):
            row, column, tile = t // right, t % right, n * down * right + t
            to = y + 4 * ((n * height + TILE * row) * width + TILE * column) * k
            whole = TILE * row + TILE <= height and TILE * column + TILE <= width
            for i in range(0, k, WIDTH):
                a = m + 4 * (tile * k + i)
                if not whole:
                    tile_2d(a, 6 * xm, xm, edge + 4 * i, TILE * k, k, 0, 0)
                elif statistics != 0:
                    tile_2d_statistics(a, 6 * xm, xm, to + 4 * i, width * k, k, sums + 4 * i, k)
                else:
                    tile_2d_bias(a, 6 * xm, xm, to + 4 * i, width * k, k, bias + 4 * i, (low - bias) // 4)
            if not whole:
                here, there = min(TILE, height - TILE * row), min(TILE, width - TILE * column)
                keep_edge(k, statistics != 0, edge, to, here, there, width, sums, bias, low)
        if statistics != 0:
            flush(2 * k, sums, totals, n == start)


def gather_gradient(c, k, l2, l3, args, part, scratch):
    """dx from V, finished as it leaves."""
    height, width = get_int(args, pictures.OUT_HEIGHT), get_int(args, pictures.OUT_BREADTH)
    padding = get_int(args, pictures.PADDING)
    down, right = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    breadth = TILE * right + 2
    size = (TILE * down + 2) * breadth * c
    xv = get_int(args, pictures.CHUNK) * c + GAP
    v, mode = get_int(args, pictures.V), get_int(args, pictures.DX_MODE)
    dx, sums = scratch + 4 * size, scratch + 8 * size
    totals = get_int(args, pictures.SUMS) + 16 * c * part
    clear(sums, 2 * c)
    start, stop = part_of(get_int(args, pictures.COUNT), part, get_int(args, pictures.PARTS))
    for n in range(start, stop):
        clear(dx, size)
        for t in range(down * right):
            row, column, tile = t // right, t % right, n * down * right + t
            d = dx + 4 * (row * breadth + column) * TILE * c
            for i in range(0, c, WIDTH):
                patch_back_2d(v + 4 * (tile * c + i), 6 * xv, xv, d + 4 * i, breadth * c, c, 0, 0)
        if mode != pictures.PLAIN:
            load_picture(c, args, n, scratch, breadth)
        inside = dx + 4 * (padding * breadth + padding) * c
        keep_gradient(c, args, n, inside, breadth, scratch, breadth, sums)
        if mode != pictures.PLAIN:
            flush(2 * c, sums, totals, n == start)
