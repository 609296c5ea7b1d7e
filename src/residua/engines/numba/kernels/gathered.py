"""Convolutions with small outputs and many channels: windows of several pictures gathered into one matrix.

Where rows of outputs are short, so is each product of `direct`, and weights that outgrow the second-level
cache are read once a picture. So the windows of a picture, or of a group of small ones, are copied into rows
of one matrix ("im2col"; copying is a hundredth of multiplying), and there are three products of matrices:

    forward     y (pixels x K)          = windows (pixels x taps C)  x  weight (taps C x K)
    dweight     (taps C x K)           += windows^T  x  dy (pixels x K)
    dx          windows' gradient       = dy  x  weight^T, which is added up where the windows came from

The weight lies in panels of PANEL columns, each from end to end in memory (`weights.pack_panels`): rows of
1024 bytes would all fall into the same few places of the first-level cache. For the same reason the rows of
the gathered matrices are GAP numbers longer than what they hold.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels import pictures
from residua.engines.numba.kernels.direct import (
    DEPTH,
    INPUT_ONLY,
    PANEL,
    WEIGHT_ONLY,
    rounded,
    rounded_up,
)
from residua.engines.numba.kernels.pictures import (
    fetch_source,
    keep_gradient,
    keep_output,
    load_gradient,
    load_picture,
)
from residua.engines.numba.kernels.products import product
from residua.engines.numba.kernels.scalars import clear, fetch, fetch_to_write, flush, get_int, part_of
from residua.engines.numba.kernels.vector import WIDTH, inline, load, store

GAP = 16
LINE = 16  # rows of dweight at a time: as many as a line of the cache holds of one window


def forward_scratch(picture: int, pixels: int, window: int, k: int, group: int) -> int:
    """Floats of scratch for pictures of so many floats with their border, and so many output pixels."""
    rows = rounded_up(group * pixels)
    return picture + rows * (window + GAP + k) + 2 * k + 256


def backward_scratch(picture: int, pixels: int, window: int, c: int, k: int, group: int) -> int:
    """Floats of scratch that `backward` needs."""
    rows = rounded_up(group * pixels)
    return 2 * picture + rows * (window + GAP + 2 * k + GAP) + 2 * c + 512


@inline
def exchange(c, args, picture, breadth, stride, windows, pitch, back):
    """Copy the windows of one picture, pixel by pixel, into rows `pitch` numbers apart; or, on the way back,
    add these rows to the picture that they were taken from."""
    kernel = get_int(args, pictures.KERNEL)
    for i in range(get_int(args, pictures.OUT_HEIGHT)):
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
    pixels = get_int(args, pictures.OUT_HEIGHT) * get_int(args, pictures.OUT_BREADTH)
    window = kernel * kernel * c
    pitch = window + GAP
    weight, y = get_int(args, pictures.WEIGHT), get_int(args, pictures.Y)
    windows = scratch + 4 * size
    out = windows + 4 * rounded(group * pixels) * pitch
    sums = out + 4 * rounded(group * pixels) * k
    totals = get_int(args, pictures.SUMS) + 16 * k * part
    clear(scratch, size)
    clear(sums, 2 * k)
    start, stop = part_of(get_int(args, pictures.COUNT), part, get_int(args, pictures.PARTS))
    x_size, y_size = in_height * in_width * c, pixels * k
    turns = (window + DEPTH - 1) // DEPTH * ((k + PANEL - 1) // PANEL)
    for first in range(start, stop, group):
        here = min(group, stop - first)
        for g in range(here):
            load_picture(c, args, first + g, scratch, breadth)
            exchange(c, args, scratch, breadth, stride, windows + 4 * g * pixels * pitch, pitch, 0)
        x_lines, y_lines = here * x_size // 16 // turns + 1, here * y_size // 16 // turns + 1
        x_next, y_next = (first + here) * x_size, (first + here) * y_size
        for depth in range(0, window, DEPTH):
            some = min(DEPTH, window - depth)
            for panel in range(0, k, PANEL):
                columns = min(PANEL, k - panel)
                fetch_source(args, x_next, x_lines, stop * x_size)
                fetch_to_write(y, y_next, y_lines, stop * y_size)
                x_next += 16 * x_lines
                y_next += 16 * y_lines
                b = weight + 4 * (panel * window + depth * columns)
                product(
                    windows + 4 * depth, pitch, 0, 1, b, 0, columns, out + 4 * panel, k,
                    rounded(here * pixels), columns, 1, some, depth,
                )  # fmt: skip
        for g in range(here):
            breadth_out = get_int(args, pictures.OUT_BREADTH)
            keep_output(k, args, first + g, out + 4 * g * y_size, breadth_out, statistics, sums)
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
    out_width = get_int(args, pictures.OUT_BREADTH)
    pixels = get_int(args, pictures.OUT_HEIGHT) * out_width
    window = kernel * kernel * c
    pitch, dy_pitch = window + GAP, k + GAP
    packed = get_int(args, pictures.WEIGHT)
    dweight = get_int(args, pictures.WEIGHT_GRADIENT) + 4 * window * k * part
    dx = scratch + 4 * size
    windows = dx + 4 * size
    dy = windows + 4 * rounded(group * pixels) * pitch
    flat = dy + 4 * rounded(group * pixels) * dy_pitch
    sums = flat + 4 * rounded(group * pixels) * k
    mode = get_int(args, pictures.DX_MODE)
    summed = what & INPUT_ONLY != 0 and mode != pictures.PLAIN
    totals = get_int(args, pictures.SUMS) + 16 * c * part
    clear(scratch, size)
    if summed:
        clear(sums, 2 * c)
    start, stop = part_of(get_int(args, pictures.COUNT), part, get_int(args, pictures.PARTS))
    x_size, y_size = in_height * in_width * c, pixels * k
    turns = (window + LINE - 1) // LINE
    for first in range(start, stop, group):
        here = min(group, stop - first)
        for g in range(here):
            load_gradient(k, args, first + g, flat + 4 * g * y_size, out_width)
        for row in range(here * pixels):
            for q in range(0, k, WIDTH):
                store(dy + 4 * row * dy_pitch, q, load(flat + 4 * row * k, q))
        x_lines, y_lines = here * x_size // 16 // turns + 1, here * y_size // 16 // turns + 1
        x_next, y_next = (first + here) * x_size, (first + here) * y_size
        if what & WEIGHT_ONLY:
            for g in range(here):
                load_picture(c, args, first + g, scratch, breadth)
                exchange(c, args, scratch, breadth, stride, windows + 4 * g * pixels * pitch, pitch, 0)
            for row in range(0, window, LINE):
                fetch(get_int(args, pictures.DY), y_next, y_lines, stop * y_size)
                fetch(get_int(args, pictures.RAW), y_next, y_lines, stop * y_size)
                fetch(get_int(args, pictures.X), x_next, x_lines, stop * x_size)
                x_next += 16 * x_lines
                y_next += 16 * y_lines
                product(
                    windows + 4 * row, 1, 0, pitch, dy, 0, dy_pitch, dweight + 4 * row * k, k,
                    min(LINE, window - row), k, 1, here * pixels, first - start,
                )  # fmt: skip
        if what & INPUT_ONLY:
            for panel in range(0, window, PANEL):
                columns = min(PANEL, window - panel)
                product(
                    dy, dy_pitch, 0, 1, packed + 4 * panel * k, 0, columns, windows + 4 * panel, pitch,
                    rounded(here * pixels), columns, 1, k, 0,
                )  # fmt: skip
            for g in range(here):
                clear(dx, size)
                exchange(c, args, dx, breadth, stride, windows + 4 * g * pixels * pitch, pitch, 1)
                if summed:
                    load_picture(c, args, first + g, scratch, breadth)
                inside = dx + 4 * (padding * breadth + padding) * c
                keep_gradient(c, args, first + g, inside, breadth, scratch, breadth, sums)
            if summed:
                flush(2 * c, sums, totals, first == start)
