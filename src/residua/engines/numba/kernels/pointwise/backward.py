"""1x1 convolutions on their way back: two products of matrices for every block of pixels.

    dweight (C x K)  += x^T dy          dx (pixels x C) = dy weight^T

Both x and dy are read along their pixels and across them. Up to NARROW channels they are read as they lie, if
they need no finishing. Rows of more channels share a few places of the first-level cache, and nearly every
read would miss it; so these are first copied into panels of columns, each from end to end in memory (as in
`winograd.many_channels`). Copying is one read and one write of what takes part in dozens of multiplications.

Where dweight is megabytes, adding to it for every block of pixels would set the pace. There (SPREAD) the
panels of all pixels are kept, and `multiply_weights` makes one product of them, without partial sums.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.arguments import (
    INPUT_ONLY,
    WEIGHT_ONLY,
    Frame,
    following,
    geometry,
)
from residua.engines.numba.kernels.pictures.load import load_gradient_column, load_picture
from residua.engines.numba.kernels.pictures.shape import Shape
from residua.engines.numba.kernels.pictures.store import store_gradient
from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.prefetch import fetch, fetch_block, fetch_pair, fetch_to_write
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store
from residua.engines.numba.kernels.products.blocks import (
    BLOCK,
    DEEP,
    WIDE,
    pace_of,
    rounded,
    rounded_up,
)
from residua.engines.numba.kernels.products.operands import Ahead, Left, Result, Right, Size
from residua.engines.numba.kernels.products.panels import at_column, columns_at, panels_of, width_of
from residua.engines.numba.kernels.products.product import product_ahead
from residua.engines.numba.kernels.products.transposed import Block, Panels, product_transposed

SPREAD = 4  # said in WEIGHT_ONLY's stead: x and dy are laid out for `multiply_weights`
NARROW = 256  # columns of which a few dozen rows find places in the first-level cache


def backward_scratch(shape: Shape) -> int:
    """Floats of scratch that `backward` needs for one picture."""
    return rounded_up(shape.height * shape.width) * (3 * shape.c + shape.k) + 2 * shape.c + 256


@inline
def panel_of(columns):
    """Columns of a panel; a matrix of few columns is one."""
    return columns if columns <= NARROW else width_of(columns)


@inline
def into_panels(columns, panel, source, rows, target, high):
    """Rows of `columns` numbers as panels of `high` rows."""
    for first in range(0, columns, panel):
        to = target + 4 * first * high
        for row in range(rows):
            for i in range(0, panel, WIDTH):
                store(to, row * panel + i, load(source, row * columns + first + i))


@inline
def gradient_into_panels(k, panel, args, n, rows, target, high):
    """The gradient by the raw convolution of picture n, as `pictures.load_gradient` has it, in panels."""
    for first in range(0, k, panel):
        for i in range(first, first + panel, WIDTH):
            to = target + 4 * (first * high + i - first)
            load_gradient_column(k, args, i, n * rows * k + i, rows, to, panel)


def backward(c, k, unused, what, args, part, scratch):
    """dx and this part's dweight [c, k]; by `what`, one of them alone, or x and dy laid out for all of it."""
    c, k, what = np.int64(c), np.int64(k), np.int64(what)
    g = geometry(args)
    width, pixels, count = g.width, g.height * g.width, g.batch
    rows, spread = rounded(pixels), what & SPREAD != 0
    # A panel's rows: of this block of pixels, or of all pixels.
    high = count * pixels if spread else rows
    c_panel, k_panel = (width_of(c), width_of(k)) if spread else (panel_of(c), panel_of(k))
    x_panels = scratch
    dy_panels = x_panels + 4 * rows * c
    flat_x = dy_panels + 4 * rows * k
    dx = flat_x + 4 * rows * c
    sums = dx + 4 * rows * c
    packed = get_int(args, pictures.WEIGHT)
    dweight = get_int(args, pictures.WEIGHT_GRADIENT) + 4 * c * k * part
    totals = get_int(args, pictures.SUMS) + 16 * c * part
    mode = get_int(args, pictures.DX_MODE)
    summed = what & INPUT_ONLY != 0 and mode != pictures.PLAIN
    x, g_in, raw = get_int(args, pictures.X), get_int(args, pictures.DY), get_int(args, pictures.RAW)
    result = get_int(args, pictures.DX)
    x_raw = get_int(args, pictures.X_RAW) if summed else result
    skip = get_int(args, pictures.DX_SKIP) if mode == pictures.SUMMED_SKIP else result
    clear(dy_panels, rows * k)
    clear(sums, 2 * c)
    start, stop = part_of(count, part, g.parts)
    x_size, y_size = pixels * c, pixels * k
    # A few lines are fetched before every few products, and those of the largest matrix within them.
    block_rows, wide = min(BLOCK, c_panel), min(WIDE, k_panel)
    turns = (k + wide - 1) // wide * ((c + block_rows - 1) // block_rows)
    x_lines, y_lines = x_size // 16 // turns + 1, y_size // 16 // turns + 1
    pace = pace_of(max(x_lines, y_lines), block_rows, wide, pixels)
    broad = min(WIDE, c)
    across = (c + broad - 1) // broad * ((rows + BLOCK - 1) // BLOCK) * ((k + DEEP - 1) // DEEP)
    dx_lines, dy_lines = x_size // 16 // across + 1, y_size // 16 // across + 1
    finished = get_int(args, pictures.GRADIENT_MODE) == pictures.AS_IT_IS
    back_pace = pace_of(dy_lines if spread else dx_lines, BLOCK, broad, min(DEEP, k))
    for n in range(start, stop):
        picture = x + 4 * n * x_size
        after = following(args, part, n + 1, stop)
        x_next, y_next = after * x_size, after * y_size
        if get_int(args, pictures.MODE) != pictures.COPY:
            load_picture(c, args, n, Frame(flat_x, width))
            picture = flat_x
        if spread:
            x_panels = get_int(args, pictures.V) + 4 * n * pixels * c_panel
            dy_panels = get_int(args, pictures.M) + 4 * n * pixels * k_panel
        if k_panel == k and pixels == rows and finished and not spread:
            dy_panels = g_in + 4 * n * y_size
        else:
            gradient_into_panels(k, k_panel, args, n, pixels, dy_panels, high)
        if spread:
            into_panels(c, c_panel, picture, pixels, x_panels, high)
        if what & WEIGHT_ONLY:
            if c_panel == c:
                x_panels = picture
            else:
                into_panels(c, c_panel, picture, pixels, x_panels, pixels)
            for column in range(0, k, wide):
                b = dy_panels + 4 * at_column(column, high, k_panel)
                for row in range(0, c, block_rows):
                    to = dweight + 4 * (row * k + column)
                    fetch_block(next_block(to, row, block_rows, wide, c, k), block_rows, wide, k)
                    ahead = g_in + 4 * y_next
                    if k < c:
                        ahead = x + 4 * x_next
                        fetch(g_in, y_next, y_lines, count * y_size)
                    else:
                        fetch(x, x_next, x_lines, count * x_size)
                    if not finished:
                        fetch(raw, y_next, y_lines, count * y_size)
                    x_next += 16 * x_lines
                    y_next += 16 * y_lines
                    a = x_panels + 4 * (row // c_panel * c_panel * pixels + row % c_panel)
                    product_ahead(
                        Left(a, 1, 0, c_panel),
                        Right(b, 0, k_panel),
                        Result(to, k),
                        Size(min(block_rows, c - row), columns_at(column, k, wide), 1, pixels),
                        n - start,
                        Ahead(ahead, pace),
                    )
        if what & INPUT_ONLY:
            if mode == pictures.PLAIN and pixels == rows:
                dx = result + 4 * n * x_size
            at = n * x_size
            for column in range(0, c, broad):
                columns = columns_at(column, c, broad)
                for depth in range(0, k, DEEP):
                    deep = min(DEEP, k - depth)
                    outer, inner = (1, deep) if k_panel == k else (deep // k_panel, k_panel)
                    b = packed + 4 * (column * k + depth * columns)
                    gradient = dy_panels + 4 * (depth // k_panel * k_panel * high + depth % k_panel)
                    for row in range(0, rows, BLOCK):
                        ahead = result + 4 * at
                        if spread:
                            # What the product with x^T fetches elsewhere.
                            ahead = g_in + 4 * y_next
                            fetch(x, x_next, dx_lines, count * x_size)
                            fetch_to_write(result, at, dx_lines, count * x_size)
                            if not finished:
                                fetch(raw, y_next, dy_lines, count * y_size)
                            x_next += 16 * dx_lines
                            y_next += 16 * dy_lines
                        if summed:
                            fetch_pair(x_raw, skip, at, dx_lines, count * x_size)
                        at += 16 * dx_lines
                        product_ahead(
                            Left(gradient + 4 * row * k_panel, k_panel, k_panel * high, 1),
                            Right(b, inner * columns, columns),
                            Result(dx + 4 * (row * c + column), c),
                            Size(min(BLOCK, rows - row), columns, outer, inner),
                            depth,
                            Ahead(ahead, back_pace),
                        )
            if mode != pictures.PLAIN or pixels != rows:
                store_gradient(c, args, n, Frame(dx, width), Frame(picture, width), sums)
            if summed:
                flush(2 * c, sums, totals, n == start)


@inline
def next_block(address, row, block_rows, wide, c, k):
    """Where the block of dweight lies that is added to after the one at `address`."""
    return address + 4 * block_rows * k if row + block_rows < c else address + 4 * (wide - row * k)


class MultiplyWeights(NamedTuple):
    """What `multiply_weights` is given: shares of dweight's columns and rows, its size, how many pixels, and
    where x and dy lie in panels."""

    parts: int
    across: int
    down: int
    c: int
    k: int
    pixels: int
    x: int
    dy: int
    dweight: int


_multiply_weights = reader(MultiplyWeights)


def multiply_weights(l0, l1, l2, l3, args, part, scratch):
    """A block of dweight [c, k] = x^T dy of all pixels."""
    p = _multiply_weights(args)
    k, pixels = p.k, p.pixels
    c_panel, panel = width_of(p.c), width_of(k)
    x, dy = Panels(p.x, pixels, c_panel), Panels(p.dy, pixels, panel)
    block_rows = min(BLOCK, c_panel)
    left, right = panels_of(k, panel, part % p.across, p.across)
    top, bottom = panels_of(p.c, c_panel, part // p.across, p.down)
    turns = (bottom - top + block_rows - 1) // block_rows
    for depth in range(0, pixels, DEEP):
        steps = min(DEEP, pixels - depth)
        # The next panel is on its way while one is multiplied.
        lines = steps * panel // 16 // turns + 1
        pace = pace_of(lines, block_rows, panel, steps)
        for column in range(left, right, panel):
            ahead = p.dy + 4 * ((column + panel) * pixels + depth * panel)
            for row in range(top, bottom, block_rows):
                to = p.dweight + 4 * (row * k + column)
                fetch_block(to + 4 * block_rows * k, block_rows, panel, k)
                block = Block(row, block_rows, column, depth, steps)
                product_transposed(x, dy, Result(to, k), block, depth, Ahead(ahead, pace))
                ahead += 64 * lines
