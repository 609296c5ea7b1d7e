"""Winograd's way backward: dx and dU of a 3x3 convolution of stride 1 (see `winograd`)."""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels import pictures
from residua.engines.numba.kernels.pictures import (
    keep_gradient_rows,
    load_gradient_rows,
)
from residua.engines.numba.kernels.products import ROWS, product
from residua.engines.numba.kernels.scalars import clear, fetch, fetch_to_write, flush, get_int, part_of
from residua.engines.numba.kernels.strips import GAP, fill_strip
from residua.engines.numba.kernels.transforms import (
    PLACES,
    TILE,
    patch_2d,
    patch_back_2d,
    spread_2d,
)
from residua.engines.numba.kernels.vector import WIDTH, load, store


def backward_scratch(width: int, c: int, k: int, group: int, strip: int, chunk: int) -> int:
    """Floats of scratch that `backward` needs for strips of so many rows of tiles and `width` pixels."""
    right = -(-width // TILE)
    rows = (TILE * strip + 2) * (TILE * right + 2) * c
    gradient = TILE * strip * TILE * right * k
    return group * (2 * rows + gradient) + PLACES * (chunk * (c + k) + 2 * GAP) + 2 * c + 256


def backward(c, k, unused, unused_too, args, part, scratch):
    """dx and this part's dU."""
    c, k = np.int64(c), np.int64(k)
    group, chunk, step = (
        get_int(args, pictures.GROUP),
        get_int(args, pictures.CHUNK),
        get_int(args, pictures.STRIP),
    )
    in_height, in_width = get_int(args, pictures.HEIGHT), get_int(args, pictures.BREADTH)
    height, width = get_int(args, pictures.OUT_HEIGHT), get_int(args, pictures.OUT_BREADTH)
    padding = get_int(args, pictures.PADDING)
    u, du = (
        get_int(args, pictures.WEIGHT),
        get_int(args, pictures.WEIGHT_GRADIENT) + 4 * PLACES * c * k * part,
    )
    down, right = (height + TILE - 1) // TILE, (width + TILE - 1) // TILE
    breadth = TILE * right + 2
    size, gradient = (TILE * step + 2) * breadth * c, TILE * step * TILE * right * k
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
    start, stop = part_of(get_int(args, pictures.COUNT), part, get_int(args, pictures.PARTS))
    x, g_in, raw = get_int(args, pictures.X), get_int(args, pictures.DY), get_int(args, pictures.RAW)
    x_raw, skip, result = (
        get_int(args, pictures.X_RAW),
        get_int(args, pictures.DX_SKIP),
        get_int(args, pictures.DX),
    )
    mode = get_int(args, pictures.DX_MODE)
    x_row, y_row = in_width * c, width * k
    x_end, y_end = stop * in_height * x_row, stop * height * y_row
    more = 0
    for first in range(start, stop, group):
        here = min(group, stop - first)
        for top in range(0, down, step):
            bottom = min(top + step, down)
            high = bottom - top
            for g in range(here):
                fill_strip(
                    c, args, first + g, top, bottom, scratch + 4 * g * size, breadth, step, step == down
                )  # fmt: skip
                end = min(height, TILE * bottom)
                to = dy + 4 * g * gradient
                load_gradient_rows(k, args, first + g, TILE * top, end, to, TILE * right)
                if step != down and end < TILE * bottom:
                    rest = TILE * right * k
                    clear(to + 4 * (end - TILE * top) * rest, (TILE * bottom - end) * rest)
            if top == 0:
                clear(dx, here * size)
            tiles = here * high * right
            turns = (tiles + chunk - 1) // chunk * PLACES
            lines, last = here * high * TILE, first + here - 1
            x_lines, y_lines = lines * x_row // 16 // turns + 1, lines * y_row // 16 // turns + 1
            x_next = (last * in_height + max(0, min(in_height, TILE * bottom + 2 - padding))) * x_row
            y_next = (last * height + min(height, TILE * bottom)) * y_row
            x_here = (first * in_height + max(0, TILE * top - padding)) * x_row
            for begin in range(0, tiles, chunk):
                some = min(chunk, tiles - begin)
                row, column, g = begin // right % high, begin % right, begin // (right * high)
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
                        if row == high:
                            row, g = 0, g + 1
                rows = (some + ROWS - 1) // ROWS * ROWS
                for place in range(PLACES):
                    fetch(g_in, y_next, y_lines, y_end)
                    fetch(raw, y_next, y_lines, y_end)
                    fetch(x, x_next, x_lines, x_end)
                    if mode != pictures.PLAIN and x_raw != x:
                        fetch(x_raw, x_here, x_lines, x_end)
                    if mode == pictures.SUMMED_SKIP:
                        fetch(skip, x_here, x_lines, x_end)
                    fetch_to_write(result, x_here, x_lines, x_end)
                    x_next += 16 * x_lines
                    x_here += 16 * x_lines
                    y_next += 16 * y_lines
                    vp, mp, at = v + 4 * place * xv, m + 4 * place * xm, 4 * place * c * k
                    product(vp, 1, 0, c, mp, 0, k, du + at, k, c, k, 1, some, more)
                    product(mp, k, 0, 1, u + at, 0, c, vp, c, rows, c, 1, k, 0)
                more = 1
                row, column, g = begin // right % high, begin % right, begin // (right * high)
                for t in range(some):
                    d = dx + 4 * (g * size + (row * breadth + column) * TILE * c)
                    for i in range(0, c, WIDTH):
                        patch_back_2d(v + 4 * (t * c + i), 6 * xv, xv, d + 4 * i, breadth * c, c, 0, 0)
                    column += 1
                    if column == right:
                        column, row = 0, row + 1
                        if row == high:
                            row, g = 0, g + 1
            # Two rows more get something from the next strip.
            done = TILE * bottom if bottom < down else TILE * bottom + 2
            begin_row = max(0, TILE * top - padding)
            inside = 4 * ((begin_row + padding - TILE * top) * breadth + padding) * c
            for g in range(here):
                a, b = dx + 4 * g * size, scratch + 4 * g * size
                keep_gradient_rows(
                    c, args, first + g, begin_row, min(in_height, done - padding), a + inside, breadth,
                    b + inside, breadth, sums,
                )  # fmt: skip
            if bottom < down:
                held, rest = 2 * breadth * c, TILE * step * breadth * c
                for i in range(0, held, WIDTH):
                    store(dx, i, load(dx + 4 * rest, i))
                clear(dx + 4 * held, rest)
        if mode != pictures.PLAIN:
            flush(2 * c, sums, totals, first == start)
