"""The backward products of gathered windows (im2col).

dweight     windows^T x dy, added up
dx          dy x weight^T, the windows' gradient, added up where the windows came from
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.im2col.windows import GAP, exchange
from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.arguments import INPUT_ONLY, WEIGHT_ONLY
from residua.engines.numba.kernels.pictures.load import load_gradient, load_picture
from residua.engines.numba.kernels.pictures.store import keep_gradient
from residua.engines.numba.kernels.primitives.prefetch import fetch
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, load, store
from residua.engines.numba.kernels.products.blocks import DEEP, ROWS, WIDE, pace_of, rounded, rounded_up
from residua.engines.numba.kernels.products.product import product_ahead

LINE = 16  # rows of dweight at a time: as many as a line of the cache holds of one window


def backward_scratch(picture: int, pixels: int, gathered: int, window: int, c: int, k: int) -> int:
    """Floats of scratch that `backward` needs."""
    return 2 * picture + rounded_up(gathered) * (window + GAP) + (pixels + ROWS) * (2 * k + GAP) + 2 * c + 512


def backward(c, k, stride, what, args, part, scratch):
    """dx and this part's dweight [kernel, kernel, c, k]; by `what`, one of them alone."""
    c, k, stride, what = np.int64(c), np.int64(k), np.int64(stride), np.int64(what)
    kernel, padding, group = (
        get_int(args, pictures.KERNEL),
        get_int(args, pictures.PADDING),
        get_int(args, pictures.GROUP),
    )
    in_height, in_width = get_int(args, pictures.HEIGHT), get_int(args, pictures.BREADTH)
    breadth = in_width + 2 * padding
    size = (in_height + 2 * padding) * breadth * c
    out_height, out_width = get_int(args, pictures.OUT_HEIGHT), get_int(args, pictures.OUT_BREADTH)
    strip, pixels = get_int(args, pictures.STRIP), out_height * out_width
    window = kernel * kernel * c
    pitch, dy_pitch = window + GAP, k + GAP
    packed = get_int(args, pictures.WEIGHT)
    dweight = get_int(args, pictures.WEIGHT_GRADIENT) + 4 * window * k * part
    dx = scratch + 4 * size
    windows = dx + 4 * size
    dy = windows + 4 * rounded(group * strip * out_width) * pitch
    flat = dy + 4 * (group * pixels + ROWS) * dy_pitch
    sums = flat + 4 * (group * pixels + ROWS) * k
    mode = get_int(args, pictures.DX_MODE)
    summed = what & INPUT_ONLY != 0 and mode != pictures.PLAIN
    totals = get_int(args, pictures.SUMS) + 16 * c * part
    clear(scratch, size)
    if summed:
        clear(sums, 2 * c)
    start, stop = part_of(get_int(args, pictures.COUNT), part, get_int(args, pictures.PARTS))
    x_size, y_size = in_height * in_width * c, pixels * k
    turns = (window + LINE - 1) // LINE * ((out_height + strip - 1) // strip)
    for first in range(start, stop, group):
        here = min(group, stop - first)
        for g in range(here):
            load_gradient(k, args, first + g, flat + 4 * g * y_size, out_width)
        for row in range(here * pixels):
            for q in range(0, k, WIDTH):
                store(dy + 4 * row * dy_pitch, q, load(flat + 4 * row * k, q))
        x_lines, y_lines = here * x_size // 16 // turns + 1, here * y_size // 16 // turns + 1
        x_next, y_next = (first + here) * x_size, (first + here) * y_size
        for top in range(0, out_height, strip):  # in groups of pictures, once
            bottom = min(top + strip, out_height)
            taken = (bottom - top) * out_width
            rows, g_in = rounded(here * taken), dy + 4 * top * out_width * dy_pitch
            if what & WEIGHT_ONLY:
                for g in range(here):
                    if top == 0:
                        load_picture(c, args, first + g, scratch, breadth)
                    to = windows + 4 * g * taken * pitch
                    exchange(c, args, top, bottom, scratch, breadth, stride, to, pitch, 0)
                for row in range(0, window, LINE):
                    fetch(get_int(args, pictures.DY), y_next, y_lines, stop * y_size)
                    fetch(get_int(args, pictures.RAW), y_next, y_lines, stop * y_size)
                    fetch(get_int(args, pictures.X), x_next, x_lines, stop * x_size)
                    x_next += 16 * x_lines
                    y_next += 16 * y_lines
                    to = dweight + 4 * row * k
                    pace = pace_of(LINE * k // 16, LINE, k, here * taken)
                    product_ahead(
                        windows + 4 * row, 1, 0, pitch, g_in, 0, dy_pitch, to, k, min(LINE, window - row), k,
                        1, here * taken, first - start + top, to + 4 * LINE * k, pace,
                    )  # fmt: skip
            if what & INPUT_ONLY:
                for panel in range(0, window, WIDE):
                    columns = min(WIDE, window - panel)
                    for depth in range(0, k, DEEP):
                        some = min(DEEP, k - depth)
                        b = packed + 4 * (panel * k + depth * columns)
                        pace = pace_of(some * columns // 16, rows, columns, some)
                        product_ahead(
                            g_in + 4 * depth, dy_pitch, 0, 1, b, 0, columns, windows + 4 * panel, pitch, rows,
                            columns, 1, some, depth, b + 4 * some * columns, pace,
                        )  # fmt: skip
                for g in range(here):
                    if top == 0:
                        clear(dx, size)
                    to = windows + 4 * g * taken * pitch
                    exchange(c, args, top, bottom, dx, breadth, stride, to, pitch, 1)
                    if bottom == out_height:
                        if summed:
                            load_picture(c, args, first + g, scratch, breadth)
                        inside = dx + 4 * (padding * breadth + padding) * c
                        keep_gradient(c, args, first + g, inside, breadth, scratch, breadth, sums)
        if summed:
            flush(2 * c, sums, totals, first == start)
