"""Convolutions of many channels: windows of some rows, or of several pictures, gathered into one matrix.

Where rows of outputs are short, so is each product of `direct`, and weights that outgrow the second-level
cache are read once a picture. So the windows of some rows of a picture, or of a group of small pictures, are
copied into rows of one matrix ("im2col"; copying is a hundredth of multiplying), and there are three products
of matrices:

    forward     y (pixels x K)          = windows (pixels x taps C)  x  weight (taps C x K)
    dweight     (taps C x K)           += windows^T  x  dy (pixels x K)
    dx          windows' gradient       = dy  x  weight^T, which is added up where the windows came from

The weight lies in panels of WIDE columns, each from end to end in memory (`weights.pack_panels`): rows of
1024 bytes would all fall into the same few places of the first-level cache. For the same reason the rows of
the gathered matrices are GAP numbers longer than what they hold.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.direct.convolution import (
    INPUT_ONLY,
    WEIGHT_ONLY,
    rounded,
    rounded_up,
)
from residua.engines.numba.kernels.pictures import load_store as pictures
from residua.engines.numba.kernels.pictures.load_store import (
    fetch_source,
    keep_gradient,
    keep_output,
    load_gradient,
    load_picture,
)
from residua.engines.numba.kernels.primitives.scalars import (
    clear,
    fetch,
    fetch_to_write,
    flush,
    get_int,
    part_of,
)
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store
from residua.engines.numba.kernels.products.micro_kernel import DEEP, ROWS, WIDE, pace_of, product_ahead

GAP = 16
LINE = 16  # rows of dweight at a time: as many as a line of the cache holds of one window


def forward_scratch(picture: int, pixels: int, gathered: int, window: int, k: int) -> int:
    """Floats of scratch for a picture of so many floats with its border, a group's output pixels, and those
    whose windows are gathered at a time."""
    return picture + rounded_up(gathered) * (window + GAP) + (pixels + ROWS) * k + 2 * k + 256


def backward_scratch(picture: int, pixels: int, gathered: int, window: int, c: int, k: int) -> int:
    """Floats of scratch that `backward` needs."""
    return 2 * picture + rounded_up(gathered) * (window + GAP) + (pixels + ROWS) * (2 * k + GAP) + 2 * c + 512


@inline
def exchange(c, args, top, bottom, picture, breadth, stride, windows, pitch, back):
    """Copy the windows of rows of outputs, pixel by pixel, into rows `pitch` numbers apart; or, on the way
    back, add these rows to the picture that they were taken from."""
    kernel = get_int(args, pictures.KERNEL)
    for i in range(top, bottom):
        for j in range(get_int(args, pictures.OUT_BREADTH)):
            for u in range(kernel):
                there = picture + 4 * ((i * stride + u) * breadth + j * stride) * c
                here = windows + 4 * u * kernel * c
                for q in range(0, kernel * c, WIDTH):
                    if back:
                        store(there, q, load(there, q) + load(here, q))
                    else:
                        store(here, q, load(there, q))
            windows += 4 * pitch


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
