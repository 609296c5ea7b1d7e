"""The forward product of gathered windows (im2col): y = windows x weight."""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.im2col.windows import GAP, exchange
from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.load import fetch_source, load_picture
from residua.engines.numba.kernels.pictures.store import keep_output
from residua.engines.numba.kernels.primitives.prefetch import fetch_to_write
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.products.blocks import DEEP, ROWS, WIDE, pace_of, rounded, rounded_up
from residua.engines.numba.kernels.products.product import product_ahead


def forward_scratch(picture: int, pixels: int, gathered: int, window: int, k: int) -> int:
    """Floats of scratch for a picture of so many floats with its border, a group's output pixels, and those
    whose windows are gathered at a time."""
    return picture + rounded_up(gathered) * (window + GAP) + (pixels + ROWS) * k + 2 * k + 256


def forward(c, k, stride, statistics, args, part, scratch):
    """y, and with `statistics` the sums of y and its squares; else bias and ReLU by the lower bound."""
    c, k, stride = np.int64(c), np.int64(k), np.int64(stride)
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
    pitch = window + GAP
    weight, y = get_int(args, pictures.WEIGHT), get_int(args, pictures.Y)
    windows = scratch + 4 * size
    out = windows + 4 * rounded(group * strip * out_width) * pitch
    sums = out + 4 * (group * pixels + ROWS) * k
    totals = get_int(args, pictures.SUMS) + 16 * k * part
    clear(scratch, size)
    clear(sums, 2 * k)
    start, stop = part_of(get_int(args, pictures.COUNT), part, get_int(args, pictures.PARTS))
    x_size, y_size = in_height * in_width * c, pixels * k
    turns = (window + DEEP - 1) // DEEP * ((k + WIDE - 1) // WIDE) * ((out_height + strip - 1) // strip)
    for first in range(start, stop, group):
        here = min(group, stop - first)
        x_lines, y_lines = here * x_size // 16 // turns + 1, here * y_size // 16 // turns + 1
        x_next, y_next = (first + here) * x_size, (first + here) * y_size
        for top in range(0, out_height, strip):  # in groups of pictures, once
            bottom = min(top + strip, out_height)
            taken = (bottom - top) * out_width
            for g in range(here):
                if top == 0:
                    load_picture(c, args, first + g, scratch, breadth)
                to = windows + 4 * g * taken * pitch
                exchange(c, args, top, bottom, scratch, breadth, stride, to, pitch, 0)
            rows, to = rounded(here * taken), out + 4 * top * out_width * k
            for depth in range(0, window, DEEP):
                some = min(DEEP, window - depth)
                for panel in range(0, k, WIDE):
                    columns = min(WIDE, k - panel)
                    fetch_source(args, x_next, x_lines, stop * x_size)
                    fetch_to_write(y, y_next, y_lines, stop * y_size)
                    x_next += 16 * x_lines
                    y_next += 16 * y_lines
                    b = weight + 4 * (panel * window + depth * columns)
                    # The next panel is on its way while this one is multiplied.
                    pace = pace_of(some * columns // 16, rows, columns, some)
                    product_ahead(
                        windows + 4 * depth, pitch, 0, 1, b, 0, columns, to + 4 * panel, k, rows, columns, 1,
                        some, depth, b + 4 * columns * window, pace,
                    )  # fmt: skip
        for g in range(here):
            keep_output(k, args, first + g, out + 4 * g * y_size, out_width, statistics, sums)
        if statistics:
            flush(2 * k, sums, totals, first == start)
