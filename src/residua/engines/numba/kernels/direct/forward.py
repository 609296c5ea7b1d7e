"""Convolutions of any kernel, stride and padding, straight from the sum that defines them.

A picture is copied into a scratch with its border of zeros; there the numbers under one row of the kernel,
pixel by pixel and channel by channel, lie side by side. So one row of outputs is one product of blocks
(`products.product`): sum over the kernel's rows (outer) and its columns times channels (inner).

    forward     y[row]      = windows of x's rows  x  weight (kernel, kernel C, K)

Products come in multiples of ROWS rows: what lies beyond a row of outputs is computed into the scratch and
never read. The columns' panel of the weight is the outermost loop, so that it stays in the first-level cache,
unless the picture is large.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.direct.in_place import readable_in_place
from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.arguments import Frame, geometry
from residua.engines.numba.kernels.pictures.load import copy_row, fetch_source, load_span
from residua.engines.numba.kernels.pictures.shape import Shape
from residua.engines.numba.kernels.pictures.store import Region, store_finished, store_output
from residua.engines.numba.kernels.primitives.prefetch import fetch
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline
from residua.engines.numba.kernels.products.blocks import (
    BLOCK,
    DEEP,
    HALF,
    ROWS,
    WIDE,
    pace_of,
    rounded_up,
)
from residua.engines.numba.kernels.products.operands import Ahead, Left, Result, Right, Size
from residua.engines.numba.kernels.products.panels import columns_at
from residua.engines.numba.kernels.products.product import product_ahead

LIGHT = 2**15  # weights that are read for every row of a picture
AHEAD = 2**17  # floats of a picture, in and out, that are worth fetching while another is worked on


def output_rows(k: int, width: int) -> int:
    """Rows of the products of a row of outputs.

    Where all panels are wide, blocks of 16 and more rows need no more than a multiple of HALF.
    """
    step = HALF if k % WIDE == 0 and width >= BLOCK else ROWS
    return (width + step - 1) // step * step


def row_blocks(rows: int) -> int:
    """Into how many blocks they are cut; what does not fill half a one belongs to the one before."""
    if rows >= BLOCK and rows % ROWS != 0:
        return rows // BLOCK
    return (rows + BLOCK - 1) // BLOCK


_rows_of, _blocks_of = inline(output_rows), inline(row_blocks)


def forward_scratch(shape: Shape) -> int:
    """Floats of scratch that `forward` needs for one picture."""
    height, width = shape.bordered
    source = (height * width + shape.kernel + ROWS * shape.stride) * shape.c
    return source + (shape.out_height * rounded_up(shape.out_width) + 2) * shape.k + 256


def forward(c, k, stride, statistics, args, part, scratch):
    """y, and with `statistics` the sums of y and its squares; else bias and ReLU by the lower bound."""
    c, k, stride = np.int64(c), np.int64(k), np.int64(stride)
    g = geometry(args)
    kernel = g.kernel
    height, width = g.height + 2 * g.padding, g.width + 2 * g.padding
    weight = get_int(args, pictures.WEIGHT)
    rows = _rows_of(k, g.out_width)
    blocks = _blocks_of(rows)
    # A multiple of vectors, so that what follows can be cleared by vectors.
    size = (height * width * c + (kernel + ROWS * stride) * c + WIDTH - 1) // WIDTH * WIDTH
    out = scratch + 4 * size
    sums = out + 4 * g.out_height * rows * k
    totals = get_int(args, pictures.SUMS) + 16 * k * part
    clear(sums, 2 * k)
    deep, wide = DEEP if kernel == 1 else kernel * c, min(WIDE, k)
    # Without sums, work is shared by rows (blocks of pixels where a picture has one row), and by columns.
    units, across = 1, 1
    if statistics == 0:
        units = g.out_height if g.out_height > 1 else blocks
        across = get_int(args, pictures.ACROSS)
    number, numbers = part // across, g.parts // across
    start, stop = part_of(g.batch * units, number, numbers)
    first_column, last_column = part_of((k + wide - 1) // wide, part % across, across)
    first_column, last_column = first_column * wide, min(last_column * wide, k)
    begin, end = start // units, (stop + units - 1) // units
    in_place = readable_in_place(args, stride, width)
    # Of a row that blocks of pixels do not fill, the last ones are copied, to be read beyond.
    row_alone = g.out_height == 1 and kernel == 1 and stride == 1 and g.padding == 0
    row_alone = row_alone and not in_place and statistics == 0
    row_alone = row_alone and get_int(args, pictures.MODE) == pictures.COPY
    if row_alone:
        clear(scratch + 4 * width * c, ((kernel + ROWS * stride) * c + WIDTH - 1) // WIDTH * WIDTH)
    elif not in_place:
        first, last = 0, height
        if end - begin == 1 and g.out_height > 1 and statistics == 0:
            first, last = start % units * stride, (stop - 1) % units * stride + kernel
        # Behind it lies what the last block's rows reach into.
        count = ((last - first) * width * c + (kernel + ROWS * stride) * c + WIDTH - 1) // WIDTH * WIDTH
        clear(scratch + 4 * first * width * c, count)
    # Pixels of y, and, where products go straight there, of what they write.
    y_pixel = k if statistics else get_int(args, pictures.Y_PIXEL)
    out_pixel = y_pixel if rows == g.out_width else k
    x_size, y_size = g.height * g.width * c, g.out_height * g.out_width * y_pixel
    turns = g.out_height * blocks * ((k + wide - 1) // wide)
    turns *= (kernel * c + deep - 1) // deep
    x_lines, y_lines = x_size // 16 // turns + 1, y_size // 16 // turns + 1
    # Large pictures under light weights go row by row, y from end to end, with its next row on the way.
    by_rows = x_size + y_size > AHEAD and kernel * kernel * c * k <= LIGHT
    # Where nothing is worth fetching, products ask for a few lines of y in vain: to spare them that, a branch
    # in every micro-kernel took 5 to 30 per cent more code.
    if x_size + y_size > AHEAD:
        x_lines, y_lines = 0, y_size // 16 // turns + 1 if by_rows else 0
    pace = pace_of(y_lines, min(BLOCK, rows), wide, kernel * min(deep, kernel * c))
    finished = get_int(args, pictures.BIAS) == 0 and statistics == 0
    picture, added = scratch, get_int(args, pictures.Y_SKIP)
    for n in range(begin, end):
        top, bottom, left, right = 0, g.out_height, 0, blocks
        if statistics == 0:
            lower, upper = max(0, start - n * units), min(units, stop - n * units)
            if g.out_height > 1:
                top, bottom = lower, upper
            else:
                left, right = lower, upper
        begin_pixel, end_pixel = left * BLOCK, g.out_width if right == blocks else right * BLOCK
        if in_place:
            picture = get_int(args, pictures.X) + 4 * n * x_size
        elif row_alone:
            picture, tail = get_int(args, pictures.X) + 4 * n * x_size, (blocks - 1) * BLOCK
            if right == blocks:
                copy_row(picture + 4 * tail * c, scratch + 4 * tail * c, (width - tail) * c)
        else:
            last = height if bottom == g.out_height else max((bottom - 1) * stride + kernel, bottom * stride)
            load_span(c, args, n, top * stride, last, Frame(scratch, width))
            picture = scratch
        if rows == g.out_width:
            out = get_int(args, pictures.Y) + 4 * n * y_size
        x_next, y_next = (n + 1) * x_size, (n + 1) * y_size
        if n + 1 == end:
            unit = part_of(
                g.batch * units, part // across + get_int(args, pictures.AHEAD), g.parts // across
            )[0]
            pixels, y_pixels = unit % units * stride * g.width, unit % units * g.out_width
            if g.out_height == 1:
                pixels = y_pixels = unit % units * BLOCK
            x_next, y_next = unit // units * x_size + pixels * c, unit // units * y_size + y_pixels * y_pixel
        if by_rows:
            y_next = n * y_size + (top + 1) * g.out_width * y_pixel
        outermost = (top, bottom, 1) if by_rows else (first_column, last_column, wide)
        innermost = (first_column, last_column, wide) if by_rows else (top, bottom, 1)
        at = out
        for outer in range(outermost[0], outermost[1], outermost[2]):
            if by_rows and rows != g.out_width and statistics == 0:
                at = out - 4 * outer * rows * k  # one row, which is finished while it is in the cache
            for inner in range(innermost[0], innermost[1], innermost[2]):
                i, panel = (outer, inner) if by_rows else (inner, outer)
                columns = columns_at(panel, k, wide)
                b, lead = weight + 4 * panel, k
                if get_int(args, pictures.PACKED) != 0:
                    b, lead = weight + 4 * panel * kernel * kernel * c, columns
                for depth in range(0, kernel * c, deep):
                    steps = min(deep, kernel * c - depth)
                    for block in range(left, right):
                        row = block * BLOCK
                        height_of_block = BLOCK if block + 1 < blocks else rows - row
                        # A few lines at a time: more at once would make the products wait.
                        fetch_source(args, x_next, x_lines, g.batch * x_size)
                        if added != 0:
                            fetch(added, y_next, y_lines, g.batch * y_size)
                        source = scratch if row_alone and row + height_of_block > width else picture
                        a = source + 4 * ((i * width + row) * stride * c + depth)
                        to = Result(at + 4 * ((i * rows + row) * out_pixel + panel), out_pixel)
                        product_ahead(
                            Left(a, stride * c, width * c, 1),
                            Right(b + 4 * depth * lead, kernel * c * lead, lead),
                            to,
                            Size(height_of_block, columns, kernel, steps),
                            depth,
                            Ahead(get_int(args, pictures.Y) + 4 * y_next, pace),
                        )
                        x_next += 16 * x_lines
                        y_next += 16 * y_lines
            if by_rows and statistics == 0 and (rows != g.out_width or not finished):
                region = Region(outer, outer + 1, begin_pixel, end_pixel, first_column, last_column)
                store_finished(args, n, Frame(at, rows), out_pixel, region)
        if statistics:
            store_output(k, args, n, Frame(out, rows), statistics, sums)
            flush(2 * k, sums, totals, n == begin)
        elif not by_rows and (rows != g.out_width or not finished):
            region = Region(top, bottom, begin_pixel, end_pixel, first_column, last_column)
            store_finished(args, n, Frame(out, rows), out_pixel, region)
