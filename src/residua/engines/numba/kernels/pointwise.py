"""1x1 convolutions on their way back: two products of matrices for every block of pixels.

    dweight (C x K)  += x^T dy          dx (pixels x C) = dy weight^T

Both x and dy are read along their pixels and across them. Up to NARROW channels they are read as they lie, if
they need no finishing. Rows of more channels share a few places of the first-level cache, and nearly every
read would miss it; so these are first copied into panels of columns, each from end to end in memory (as in
`winograd_large`). Copying is one read and one write of what takes part in dozens of multiplications.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels import pictures
from residua.engines.numba.kernels.direct import FEW, INPUT_ONLY, PANEL, WEIGHT_ONLY, rounded, rounded_up
from residua.engines.numba.kernels.pictures import following, keep_gradient, load_picture
from residua.engines.numba.kernels.products import ROWS, product
from residua.engines.numba.kernels.scalars import (
    clear,
    fetch,
    fetch_pair,
    fetch_results,
    flush,
    get_int,
    part_of,
)
from residua.engines.numba.kernels.vector import WIDTH, fma, inline, load, store, where_above, zero
from residua.engines.numba.kernels.winograd_large import width_of

NARROW = 256  # columns of which a few dozen rows find places in the first-level cache


def backward_scratch(pixels: int, c: int, k: int) -> int:
    """Floats of scratch that `backward` needs for so many pixels at a time."""
    return rounded_up(pixels) * (3 * c + k) + 2 * c + 256


@inline
def panel_of(columns):
    """Columns of a panel; a matrix of few columns is one."""
    return columns if columns <= NARROW else width_of(columns)


@inline
def into_panels(columns, source, rows, target, high):
    """Rows of `columns` numbers as panels of `high` rows."""
    panel = panel_of(columns)
    for first in range(0, columns, panel):
        to = target + 4 * first * high
        for row in range(rows):
            for i in range(0, panel, WIDTH):
                store(to, row * panel + i, load(source, row * columns + first + i))


@inline
def gradient_into_panels(k, args, n, rows, target, high):
    """The gradient by the raw convolution of picture n, as `pictures.load_gradient` has it, in panels."""
    panel, mode = panel_of(k), get_int(args, pictures.GRADIENT_MODE)
    dy, raw = get_int(args, pictures.DY) + 4 * n * rows * k, get_int(args, pictures.RAW) + 4 * n * rows * k
    a, b, d = get_int(args, pictures.A), get_int(args, pictures.B), get_int(args, pictures.C0)
    for first in range(0, k, panel):
        for i in range(first, first + panel, WIDTH):
            to = target + 4 * (first * high + i - first)
            if mode == pictures.AFFINE:
                of_dy, of_raw, more = load(a, i), load(b, i), load(d, i)
                for row in range(rows):
                    at = row * k + i
                    store(to, row * panel, fma(of_dy, load(dy, at), fma(of_raw, load(raw, at), more)))
            elif mode == pictures.MASKED:
                for row in range(rows):
                    at = row * k + i
                    store(to, row * panel, where_above(load(raw, at), zero(), load(dy, at)))
            else:
                for row in range(rows):
                    store(to, row * panel, load(dy, row * k + i))


def backward(c, k, unused, what, args, part, scratch):
    """dx and this part's dweight [c, k]; by `what`, one of them alone."""
    c, k, what = np.int64(c), np.int64(k), np.int64(what)
    width = get_int(args, pictures.BREADTH)
    pixels = get_int(args, pictures.HEIGHT) * width
    high = rounded(pixels)
    c_panel, k_panel = panel_of(c), panel_of(k)
    x_panels = scratch
    dy_panels = x_panels + 4 * high * c
    flat_x = dy_panels + 4 * high * k
    dx = flat_x + 4 * high * c
    sums = dx + 4 * high * c
    packed = get_int(args, pictures.WEIGHT)
    dweight = get_int(args, pictures.WEIGHT_GRADIENT) + 4 * c * k * part
    totals = get_int(args, pictures.SUMS) + 16 * c * part
    count, mode = get_int(args, pictures.COUNT), get_int(args, pictures.DX_MODE)
    summed = what & INPUT_ONLY != 0 and mode != pictures.PLAIN
    x, g_in, raw = get_int(args, pictures.X), get_int(args, pictures.DY), get_int(args, pictures.RAW)
    result = get_int(args, pictures.DX)
    x_raw = get_int(args, pictures.X_RAW) if summed else result
    skip = get_int(args, pictures.DX_SKIP) if mode == pictures.SUMMED_SKIP else result
    clear(dy_panels, high * k)
    clear(sums, 2 * c)
    start, stop = part_of(count, part, get_int(args, pictures.PARTS))
    x_size, y_size = pixels * c, pixels * k
    # A few lines are fetched before every few products.
    few, wide = min(FEW, c_panel), min(PANEL, k_panel)
    turns = (k + wide - 1) // wide * ((c + few - 1) // few)
    across = (c + PANEL - 1) // PANEL * ((high + FEW - 1) // FEW)
    x_lines, y_lines, lines = x_size // 16 // turns + 1, y_size // 16 // turns + 1, x_size // 16 // across + 1
    for n in range(start, stop):
        picture = x + 4 * n * x_size
        after = following(args, part, n + 1, stop)
        x_next, y_next = after * x_size, after * y_size
        if get_int(args, pictures.MODE) != pictures.COPY:
            load_picture(c, args, n, flat_x, width)
            picture = flat_x
        if k_panel == k and pixels == high and get_int(args, pictures.GRADIENT_MODE) == pictures.AS_IT_IS:
            dy_panels = g_in + 4 * n * y_size
        else:
            gradient_into_panels(k, args, n, pixels, dy_panels, high)
        if what & WEIGHT_ONLY:
            if c_panel == c:
                x_panels = picture
            else:
                into_panels(c, picture, pixels, x_panels, pixels)
            for column in range(0, k, wide):
                b = dy_panels + 4 * ((column - column % k_panel) * high + column % k_panel)
                for row in range(0, c, few):
                    fetch(x, x_next, x_lines, count * x_size)
                    fetch_pair(g_in, raw, y_next, y_lines, count * y_size)
                    x_next += 16 * x_lines
                    y_next += 16 * y_lines
                    a = x_panels + 4 * (row // c_panel * c_panel * pixels + row % c_panel)
                    product(
                        a, 1, 0, c_panel, b, 0, k_panel, dweight + 4 * (row * k + column), k,
                        min(few, c - row), min(wide, k - column), 1, pixels, n - start,
                    )  # fmt: skip
        if what & INPUT_ONLY:
            if mode == pictures.PLAIN and pixels % ROWS == 0:
                dx = result + 4 * n * x_size
            at = n * x_size
            for column in range(0, c, PANEL):
                columns = min(PANEL, c - column)
                for row in range(0, high, FEW):
                    fetch_results(x_raw, skip, result, at, lines, count * x_size)
                    at += 16 * lines
                    product(
                        dy_panels + 4 * row * k_panel, k_panel, k_panel * high, 1, packed + 4 * column * k,
                        k_panel * columns, columns, dx + 4 * (row * c + column), c, min(FEW, high - row),
                        columns, k // k_panel, k_panel, 0,
                    )  # fmt: skip
            if mode != pictures.PLAIN or pixels % ROWS != 0:
                keep_gradient(c, args, n, dx, width, picture, width, sums)
            if summed:
                flush(2 * c, sums, totals, n == start)
