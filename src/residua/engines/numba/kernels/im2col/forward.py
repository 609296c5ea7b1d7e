"""The forward product of gathered windows (im2col): y = windows x weight."""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.im2col.windows import Strip, floats_of, gather_windows, sizes_of
from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.arguments import Frame, geometry
from residua.engines.numba.kernels.pictures.load import fetch_source
from residua.engines.numba.kernels.pictures.shape import Cut, Shape
from residua.engines.numba.kernels.pictures.store import Region, store_finished, store_output
from residua.engines.numba.kernels.primitives.prefetch import fetch_to_write
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.products.blocks import DEEP, ROWS, WIDE, pace_of, rounded
from residua.engines.numba.kernels.products.operands import Ahead, Left, Result, Right, Size
from residua.engines.numba.kernels.products.product import product_ahead


def forward_scratch(shape: Shape, cut: Cut) -> int:
    """Floats of scratch that `forward` needs."""
    picture, windows, pixels = floats_of(shape, cut)
    return picture + windows + (pixels + 2) * shape.k + 256


def forward(c, k, stride, statistics, args, part, scratch):
    """y, and with `statistics` the sums of y and its squares; else bias and ReLU by the lower bound."""
    c, k, stride = np.int64(c), np.int64(k), np.int64(stride)
    g, sizes = geometry(args), sizes_of(c, args)
    window, pitch = sizes.window, sizes.pitch
    weight, y = get_int(args, pictures.WEIGHT), get_int(args, pictures.Y)
    windows = scratch + 4 * sizes.picture
    out = windows + 4 * rounded(g.group * g.strip * g.out_width) * pitch
    sums = out + 4 * (g.group * sizes.pixels + ROWS) * k
    totals = get_int(args, pictures.SUMS) + 16 * k * part
    clear(scratch, sizes.picture)
    clear(sums, 2 * k)
    # Without sums, work is shared by strips of rows and by panels of columns.
    strips, units, across = (g.out_height + g.strip - 1) // g.strip, 1, 1
    if statistics == 0:
        units, across = strips, get_int(args, pictures.ACROSS)
    start, stop = part_of(g.batch * units, part // across, g.parts // across)
    first_column, last_column = part_of((k + WIDE - 1) // WIDE, part % across, across)
    first_column, last_column = first_column * WIDE, min(last_column * WIDE, k)
    begin, end = start // units, (stop + units - 1) // units
    x_size, y_size = g.height * g.width * c, sizes.pixels * k
    turns = (window + DEEP - 1) // DEEP * ((k + WIDE - 1) // WIDE) * strips
    for first in range(begin, end, g.group):
        count = min(g.group, end - first)
        x_lines, y_lines = count * x_size // 16 // turns + 1, count * y_size // 16 // turns + 1
        x_next, y_next = (first + count) * x_size, (first + count) * y_size
        lower, upper = 0, g.out_height
        if units > 1:
            lower = max(0, start - first * units) * g.strip
            upper = min(g.out_height, (stop - first * units) * g.strip)
        for top in range(lower, upper, g.strip):  # in groups of pictures, once
            strip = Strip(first, count, top, min(top + g.strip, g.out_height))
            matrix = Result(windows, pitch)
            gather_windows(c, stride, args, strip, Frame(scratch, sizes.width), matrix, top == lower)
            rows = rounded(count * (strip.bottom - top) * g.out_width)
            to = out + 4 * top * g.out_width * k
            for depth in range(0, window, DEEP):
                steps = min(DEEP, window - depth)
                for panel in range(first_column, last_column, WIDE):
                    columns = min(WIDE, k - panel)
                    fetch_source(args, x_next, x_lines, end * x_size)
                    fetch_to_write(y, y_next, y_lines, end * y_size)
                    x_next += 16 * x_lines
                    y_next += 16 * y_lines
                    b = weight + 4 * (panel * window + depth * columns)
                    # The next panel is on its way while this one is multiplied.
                    pace = pace_of(steps * columns // 16, rows, columns, steps)
                    product_ahead(
                        Left(windows + 4 * depth, pitch, 0, 1),
                        Right(b, 0, columns),
                        Result(to + 4 * panel, k),
                        Size(rows, columns, 1, steps),
                        depth,
                        Ahead(b + 4 * columns * window, pace),
                    )
        for number in range(count):
            frame = Frame(out + 4 * number * y_size, g.out_width)
            if statistics:
                store_output(k, args, first + number, frame, statistics, sums)
            else:
                region = Region(lower, upper, 0, g.out_width, first_column, last_column)
                store_finished(args, first + number, frame, k, region)
        if statistics:
            flush(2 * k, sums, totals, first == begin)
