"""Winograd's convolution for many channels: the whole batch's tiles before one product for each place.

`winograd` works picture by picture, and reads all transformed weights for every few tiles. From some 200
channels on these are megabytes, and main memory would set the pace. Here the batch goes through in three
steps, each a kernel of its own:

    scatter    pictures -> V, gradients -> M: 36 matrices of all tiles (parts: pictures)
    multiply   one product for each place and panel of columns: every weight is read once
    gather     M -> y, or V -> dx (parts: pictures)

The weights' gradient is one product V^T M a place, without partial sums: nothing to add up afterwards. With a
stride of 2 there are 81 places instead of 36, and those that share a weight add up its gradient.

All matrices lie in panels of columns, each from end to end in memory (`at_column`): what a block of a
product reads lies side by side. Rows of a power of two would share a few places of the cache: half as fast.
"""

from __future__ import annotations

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.load import load_gradient, load_picture
from residua.engines.numba.kernels.pictures.store import keep_gradient
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline
from residua.engines.numba.kernels.products.blocks import BLOCK, DEEP, PANEL, WIDE, pace_of
from residua.engines.numba.kernels.products.product import product_ahead
from residua.engines.numba.kernels.winograd.forward import keep_edge
from residua.engines.numba.kernels.winograd.tiles import (
    GAP,
    patch_to_places,
    places_to_patch,
    places_to_tile,
    places_to_tile_biased,
    places_to_tile_summed,
    tile_to_places,
    weights_at,
)
from residua.engines.numba.kernels.winograd.transforms import PATCH, PLACES, TILE

X_ONLY, BOTH = 1, 2


def panel_width(columns: int) -> int:
    """Columns of a panel: all panels of a matrix are as wide."""
    return WIDE if columns % WIDE == 0 else PANEL if columns % PANEL == 0 else WIDTH


width_of = inline(panel_width)


@inline
def at_column(column, rows, panel):
    """Where a matrix of so many rows, in panels of that width, has row 0 of this column."""
    return (column - column % panel) * rows + column % panel


def rounded_tiles(count: int, height: int, width: int) -> int:
    """Rows of V and M: all tiles, and what the last block of a product needs."""
    tiles = count * -(-height // TILE) * -(-width // TILE)
    return -(-tiles // BLOCK) * BLOCK


def scatter_scratch(height: int, width: int, c: int, k: int, stride: int) -> int:
    """Floats of scratch that any of the kernels needs for an output of height x width."""
    down, right, side = -(-height // TILE), -(-width // TILE), TILE * stride
    picture = (side * down + 2) * (side * right + 2) * c
    return 2 * picture + TILE * down * TILE * right * k + 2 * max(c, k) + TILE * TILE * k + 256


def scatter(c, k, what, stride, args, part, scratch):
    """V[place, tile, c] = B^T x B; with BOTH also M[place, tile, k] = A dy A^T."""
    height, width = get_int(args, pictures.OUT_HEIGHT), get_int(args, pictures.OUT_BREADTH)
    down, right = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    side = TILE * stride
    breadth = side * right + 2
    size = (side * down + 2) * breadth * c
    rows = get_int(args, pictures.CHUNK)
    xv, xm = rows * c + GAP, rows * k + GAP
    v, m = get_int(args, pictures.V), get_int(args, pictures.M)
    c_panel, k_panel = width_of(c), width_of(k)
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
            d = scratch + 4 * (row * breadth + column) * side * c
            for i in range(0, c, WIDTH):
                at = at_column(i, rows, c_panel) + tile * c_panel
                patch_to_places(stride, d + 4 * i, breadth * c, c, v + 4 * at, xv)
            if what == BOTH:
                d = dy + 4 * (row * TILE * right + column) * TILE * k
                for i in range(0, k, WIDTH):
                    at = at_column(i, rows, k_panel) + tile * k_panel
                    tile_to_places(stride, d + 4 * i, TILE * right * k, k, m + 4 * at, xm)


def multiply(l0, l1, l2, l3, args, part, scratch):
    """C_p = A_p B_w for this part's place p, its weights w and panels of columns.

    Block: parts, shares of the columns, rows, columns, inner, A, B, C, how far their places are apart, rows
    of V and M as they lie (for `multiply_transposed`), and places along a tile's side.
    """
    shares, rows, columns, inner = get_int(args, 1), get_int(args, 2), get_int(args, 3), get_int(args, 4)
    place, panel, deep = part // shares, width_of(columns), width_of(inner)
    a = get_int(args, 5) + 4 * place * get_int(args, 8)
    b = get_int(args, 6) + 4 * weights_at(place, get_int(args, 12)) * get_int(args, 9)
    c = get_int(args, 7) + 4 * place * get_int(args, 10)
    first, last = part_of(columns // panel, part % shares, shares)
    for column in range(first * panel, last * panel, panel):
        for depth in range(0, inner, DEEP):
            some = min(DEEP, inner - depth)
            at = column * inner + depth * panel
            lines = some * panel // 16 * BLOCK // rows + 1
            # B is one stream: what comes next is on its way while these rows are multiplied.
            pace = pace_of(lines, BLOCK, panel, some)
            for row in range(0, rows, BLOCK):
                product_ahead(
                    a + 4 * (depth * rows + row * deep), deep, deep * rows, 1, b + 4 * at, deep * panel,
                    panel, c + 4 * (column * rows + row * panel), panel, BLOCK, panel, some // deep, deep,
                    depth, b + 4 * (at + some * panel + row // BLOCK * 16 * lines), pace,
                )  # fmt: skip


def multiply_transposed(l0, l1, l2, l3, args, part, scratch):
    """C_w = the sum of A_p^T B_p over the places p that are multiplied with weights w.

    Block as that of `multiply`, rows and columns those of C. The last weights, with most places, come first.
    """
    shares, rows, columns, inner = get_int(args, 1), get_int(args, 2), get_int(args, 3), get_int(args, 4)
    weights, panel, wide = PLACES - 1 - part // shares, width_of(columns), width_of(rows)
    c = get_int(args, 7) + 4 * weights * get_int(args, 10)
    high, along = get_int(args, 11), get_int(args, 12)
    first, last = part_of(columns // panel, part % shares, shares)
    top, left = weights // PATCH, weights % PATCH
    bottom = along if top == PATCH - 1 else top + 1
    right = along if left == PATCH - 1 else left + 1
    for column in range(first * panel, last * panel, panel):
        for i in range(top, bottom):
            for j in range(left, right):
                a = get_int(args, 5) + 4 * (i * along + j) * get_int(args, 8)
                b = get_int(args, 6) + 4 * ((i * along + j) * get_int(args, 9) + column * high)
                for depth in range(0, inner, DEEP):
                    some, more = min(DEEP, inner - depth), i > top or j > left or depth > 0
                    # The next block of C is on its way: few tiles, and most time goes into writing it.
                    pace = pace_of(wide * panel // 16 + 1, wide, panel, some)
                    for row in range(0, rows, wide):
                        to = c + 4 * (column * rows + row * panel)
                        product_ahead(
                            a + 4 * (row * high + depth * wide), 1, 0, wide, b + 4 * depth * panel, 0, panel,
                            to, panel, wide, panel, 1, some, more, to + 4 * wide * panel, pace,
                        )  # fmt: skip


def gather(c, k, statistics, stride, args, part, scratch):
    """y from M, with the sums of y and its squares, or with bias and ReLU."""
    height, width = get_int(args, pictures.OUT_HEIGHT), get_int(args, pictures.OUT_BREADTH)
    down, right = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    rows, panel = get_int(args, pictures.CHUNK), width_of(k)
    xm = rows * k + GAP
    m, y = get_int(args, pictures.M), get_int(args, pictures.Y)
    sums, edge = scratch, scratch + 8 * k
    bias, low = get_int(args, pictures.BIAS), get_int(args, pictures.OUT_LOW)
    gap = (low - bias) // 4
    totals = get_int(args, pictures.SUMS) + 16 * k * part
    clear(sums, 2 * k)
    start, stop = part_of(get_int(args, pictures.COUNT), part, get_int(args, pictures.PARTS))
    for n in range(start, stop):
        for t in range(down * right):
            row, column, tile = t // right, t % right, n * down * right + t
            to = y + 4 * ((n * height + TILE * row) * width + TILE * column) * k
            whole = TILE * row + TILE <= height and TILE * column + TILE <= width
            for i in range(0, k, WIDTH):
                a = m + 4 * (at_column(i, rows, panel) + tile * panel)
                if not whole:
                    places_to_tile(stride, a, xm, edge + 4 * i, TILE * k, k)
                elif statistics != 0:
                    places_to_tile_summed(stride, a, xm, to + 4 * i, width * k, k, sums + 4 * i)
                else:
                    places_to_tile_biased(stride, a, xm, to + 4 * i, width * k, k, bias + 4 * i, gap)
            if not whole:
                here, there = min(TILE, height - TILE * row), min(TILE, width - TILE * column)
                keep_edge(k, statistics != 0, edge, to, here, there, width, sums, bias, low, 0)
        if statistics != 0:
            flush(2 * k, sums, totals, n == start)


def gather_gradient(c, k, l2, stride, args, part, scratch):
    """dx from V, finished as it leaves."""
    height, width = get_int(args, pictures.OUT_HEIGHT), get_int(args, pictures.OUT_BREADTH)
    padding = get_int(args, pictures.PADDING)
    down, right = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    side = TILE * stride
    breadth = side * right + 2
    size = (side * down + 2) * breadth * c
    rows, panel = get_int(args, pictures.CHUNK), width_of(c)
    xv = rows * c + GAP
    v, mode = get_int(args, pictures.V), get_int(args, pictures.DX_MODE)
    dx, sums = scratch + 4 * size, scratch + 8 * size
    totals = get_int(args, pictures.SUMS) + 16 * c * part
    clear(sums, 2 * c)
    start, stop = part_of(get_int(args, pictures.COUNT), part, get_int(args, pictures.PARTS))
    for n in range(start, stop):
        clear(dx, size)
        for t in range(down * right):
            row, column, tile = t // right, t % right, n * down * right + t
            d = dx + 4 * (row * breadth + column) * side * c
            for i in range(0, c, WIDTH):
                at = at_column(i, rows, panel) + tile * panel
                places_to_patch(stride, v + 4 * at, xv, d + 4 * i, breadth * c, c)
        if mode != pictures.PLAIN:
            load_picture(c, args, n, scratch, breadth)
        inside = dx + 4 * (padding * breadth + padding) * c
        keep_gradient(c, args, n, inside, breadth, scratch, breadth, sums)
        if mode != pictures.PLAIN:
            flush(2 * c, sums, totals, n == start)
