"""The backward products of gathered windows (im2col).

dweight     windows^T x dy, added up
dx          dy x weight^T, the windows' gradient, added up where the windows came from
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.im2col.windows import (
    GAP,
    Strip,
    floats_of,
    gather_windows,
    scatter_windows,
    sizes_of,
)
from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.arguments import (
    INPUT_ONLY,
    WEIGHT_ONLY,
    Frame,
    geometry,
    inside,
)
from residua.engines.numba.kernels.pictures.load import load_gradient, load_picture
from residua.engines.numba.kernels.pictures.shape import Cut, Shape
from residua.engines.numba.kernels.pictures.store import store_gradient
from residua.engines.numba.kernels.primitives.prefetch import fetch
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store
from residua.engines.numba.kernels.products.blocks import DEEP, ROWS, WIDE, pace_of, rounded
from residua.engines.numba.kernels.products.operands import Ahead, Left, Result, Right, Size
from residua.engines.numba.kernels.products.product import product_ahead

LINE = 16  # rows of dweight at a time: as many as a line of the cache holds of one window


def backward_scratch(shape: Shape, cut: Cut) -> int:
    """Floats of scratch that `backward` needs."""
    picture, windows, pixels = floats_of(shape, cut)
    return 2 * picture + windows + pixels * (2 * shape.k + GAP) + 2 * shape.c + 512


def backward(c, k, stride, what, args, part, scratch):
    """dx and this part's dweight [kernel, kernel, c, k]; by `what`, one of them alone."""
    c, k, stride, what = np.int64(c), np.int64(k), np.int64(stride), np.int64(what)
    g, sizes = geometry(args), sizes_of(c, args)
    size, window, pitch, dy_pitch = sizes.picture, sizes.window, sizes.pitch, k + GAP
    packed = get_int(args, pictures.WEIGHT)
    dweight = get_int(args, pictures.WEIGHT_GRADIENT) + 4 * window * k * part
    dx = scratch + 4 * size
    windows = dx + 4 * size
    dy = windows + 4 * rounded(g.group * g.strip * g.out_width) * pitch
    flat = dy + 4 * (g.group * sizes.pixels + ROWS) * dy_pitch
    sums = flat + 4 * (g.group * sizes.pixels + ROWS) * k
    summed = what & INPUT_ONLY != 0 and get_int(args, pictures.DX_MODE) != pictures.PLAIN
    totals = get_int(args, pictures.SUMS) + 16 * c * part
    clear(scratch, size)
    if summed:
        clear(sums, 2 * c)
    start, stop = part_of(g.batch, part, g.parts)
    x_size, y_size = g.height * g.width * c, sizes.pixels * k
    turns = (window + LINE - 1) // LINE * ((g.out_height + g.strip - 1) // g.strip)
    frame, dx_frame = Frame(scratch, sizes.width), Frame(dx, sizes.width)
    for first in range(start, stop, g.group):
        count = min(g.group, stop - first)
        for number in range(count):
            load_gradient(k, args, first + number, Frame(flat + 4 * number * y_size, g.out_width))
        for row in range(count * sizes.pixels):
            for q in range(0, k, WIDTH):
                store(dy + 4 * row * dy_pitch, q, load(flat + 4 * row * k, q))
        x_lines, y_lines = count * x_size // 16 // turns + 1, count * y_size // 16 // turns + 1
        x_next, y_next = (first + count) * x_size, (first + count) * y_size
        for top in range(0, g.out_height, g.strip):  # in groups of pictures, once
            strip = Strip(first, count, top, min(top + g.strip, g.out_height))
            pixels = count * (strip.bottom - top) * g.out_width
            rows, gradient = rounded(pixels), dy + 4 * top * g.out_width * dy_pitch
            if what & WEIGHT_ONLY:
                gather_windows(c, stride, args, strip, frame, Result(windows, pitch), top == 0)
                for row in range(0, window, LINE):
                    fetch(get_int(args, pictures.DY), y_next, y_lines, stop * y_size)
                    fetch(get_int(args, pictures.RAW), y_next, y_lines, stop * y_size)
                    fetch(get_int(args, pictures.X), x_next, x_lines, stop * x_size)
                    x_next += 16 * x_lines
                    y_next += 16 * y_lines
                    to = dweight + 4 * row * k
                    pace = pace_of(LINE * k // 16, LINE, k, pixels)
                    product_ahead(
                        Left(windows + 4 * row, 1, 0, pitch),
                        Right(gradient, 0, dy_pitch),
                        Result(to, k),
                        Size(min(LINE, window - row), k, 1, pixels),
                        first - start + top,
                        Ahead(to + 4 * LINE * k, pace),
                    )
            if what & INPUT_ONLY:
                matrix = Result(windows, pitch)
                multiply_weight(k, window, packed, Left(gradient, dy_pitch, 0, 1), matrix, rows)
                for number in range(count):
                    if top == 0:
                        clear(dx, size)
                    scatter_windows(c, stride, args, strip, number, matrix, dx_frame)
                    if strip.bottom == g.out_height:
                        if summed:
                            load_picture(c, args, first + number, frame)
                        store_gradient(c, args, first + number, inside(dx_frame, c, g.padding), frame, sums)
        if summed:
            flush(2 * c, sums, totals, first == start)


@inline
def multiply_weight(k, window, packed, dy, windows, rows):
    """The windows' gradient: rows of dy times the weight, which lies turned round in panels."""
    for panel in range(0, window, WIDE):
        columns = min(WIDE, window - panel)
        for depth in range(0, k, DEEP):
            steps = min(DEEP, k - depth)
            b = packed + 4 * (panel * k + depth * columns)
            product_ahead(
                Left(dy.address + 4 * depth, dy.row, 0, 1),
                Right(b, 0, columns),
                Result(windows.address + 4 * panel, windows.row),
                Size(rows, columns, 1, steps),
                depth,
                Ahead(b + 4 * steps * columns, pace_of(steps * columns // 16, rows, columns, steps)),
            )
