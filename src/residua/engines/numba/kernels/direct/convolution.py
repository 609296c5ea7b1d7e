"""Convolutions of any kernel, stride and padding, straight from the sum that defines them.

A picture is copied into a scratch with its border of zeros; there the numbers under one row of the kernel,
pixel by pixel and channel by channel, lie side by side. So one row of outputs is one product of blocks
(`products`): sum over the kernel's rows (outer) and its columns times channels (inner).

    forward     y[row]      = windows of x's rows  x  weight (kernel, kernel C, K)
    dweight     [u, (v, c)] += x's pixels transposed  x  dy, sum over all output pixels
    dx          for stride s the pixels of dx fall into s x s phases, and in each the taps u = phase + s t of
                the kernel meet dy[q - t]: a convolution of dy with a part of the kernel, turned round

Products come in multiples of ROWS rows: what lies beyond a row of outputs is computed into the scratch and
never read. The columns' panel of the weight is the outermost loop, so that it stays in the first-level cache,
unless the picture is large.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.pictures import load_store as pictures
from residua.engines.numba.kernels.pictures.load_store import (
    fetch_source,
    following,
    keep_gradient,
    keep_output,
    load_gradient,
    load_picture,
)
from residua.engines.numba.kernels.primitives.scalars import (
    clear,
    fetch,
    fetch_pair,
    fetch_to_write,
    flush,
    get_int,
    part_of,
)
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline
from residua.engines.numba.kernels.products.micro_kernel import (
    BLOCK,
    DEEP,
    PANEL,
    ROWS,
    WIDE,
    columns_at,
    pace_of,
    product,
    product_ahead,
)

BAND = 128  # pixels
LIGHT = 2**15  # weights that are read for every row of a picture
AHEAD = 2**17  # floats of a picture, in and out, that are worth fetching while another is worked on
WEIGHT_ONLY, INPUT_ONLY, BOTH = 1, 2, 3


@inline
def rounded(count):
    """The next multiple of ROWS."""
    return (count + ROWS - 1) // ROWS * ROWS


def rounded_up(count: int) -> int:
    """`rounded`, on the host."""
    return -(-count // ROWS) * ROWS


def forward_scratch(
    height: int,
    width: int,
    out_height: int,
    out_width: int,
    c: int,
    k: int,
    kernel: int,
    stride: int,
    padding: int,
) -> int:
    """Floats of scratch that `forward` needs for one picture."""
    picture = (height + 2 * padding) * (width + 2 * padding) * c
    return picture + (kernel + ROWS * stride) * c + out_height * rounded_up(out_width) * k + 2 * k + 256


@inline
def lies_ready(args, stride, width):
    """Whether x needs neither a border nor finishing, and its rows can be read in blocks where they lie."""
    plain = get_int(args, pictures.MODE) == pictures.COPY and get_int(args, pictures.PADDING) == 0
    return plain and get_int(args, pictures.KERNEL) == 1 and stride == 1 and width % ROWS == 0


def forward(c, k, stride, statistics, args, part, scratch):
    """y, and with `statistics` the sums of y and its squares; else bias and ReLU by the lower bound."""
    c, k, stride = np.int64(c), np.int64(k), np.int64(stride)
    kernel, padding = get_int(args, pictures.KERNEL), get_int(args, pictures.PADDING)
    height, width = (
        get_int(args, pictures.HEIGHT) + 2 * padding,
        get_int(args, pictures.BREADTH) + 2 * padding,
    )
    out_height, out_width = get_int(args, pictures.OUT_HEIGHT), get_int(args, pictures.OUT_BREADTH)
    weight = get_int(args, pictures.WEIGHT)
    rows = rounded(out_width)
    # A multiple of vectors, so that what follows can be cleared by vectors.
    size = (height * width * c + (kernel + ROWS * stride) * c + WIDTH - 1) // WIDTH * WIDTH
    out = scratch + 4 * size
    sums = out + 4 * out_height * rows * k
    totals = get_int(args, pictures.SUMS) + 16 * k * part
    clear(scratch, size)
    clear(sums, 2 * k)
    count = get_int(args, pictures.COUNT)
    start, stop = part_of(count, part, get_int(args, pictures.PARTS))
    x_size, y_size = (
        get_int(args, pictures.HEIGHT) * get_int(args, pictures.BREADTH) * c,
        out_height * out_width * k,
    )
    deep, wide = DEEP if kernel == 1 else kernel * c, min(WIDE, k)
    turns = out_height * ((rows + BLOCK - 1) // BLOCK) * ((k + wide - 1) // wide)
    turns *= (kernel * c + deep - 1) // deep
    x_lines, y_lines = x_size // 16 // turns + 1, y_size // 16 // turns + 1
    # Large pictures under light weights go row by row, y from end to end, with its next row on the way.
    by_rows = x_size + y_size > AHEAD and kernel * kernel * c * k <= LIGHT
    if x_size + y_size > AHEAD:
        x_lines, y_lines = 0, y_size // 16 // turns + 1 if by_rows else 0
    pace = pace_of(y_lines, min(BLOCK, rows), wide, kernel * min(deep, kernel * c))
    as_it_lies = lies_ready(args, stride, width)
    finished = get_int(args, pictures.BIAS) == 0 and not statistics
    picture, beside = scratch, get_int(args, pictures.Y_SKIP)
    for n in range(start, stop):
        if as_it_lies:
            picture = get_int(args, pictures.X) + 4 * n * x_size
        else:
            load_picture(c, args, n, scratch, width)
        if rows == out_width:
            out = get_int(args, pictures.Y) + 4 * n * y_size
        after = following(args, part, n + 1, stop)
        x_next, y_next = after * x_size, after * y_size
        if by_rows:
            y_next = n * y_size + out_width * k
        for outer in range(0, out_height if by_rows else k, 1 if by_rows else wide):
            for inner in range(0, k if by_rows else out_height, wide if by_rows else 1):
                i, panel = (outer, inner) if by_rows else (inner, outer)
                columns = columns_at(panel, k, wide)
                b, lead = weight + 4 * panel, k
                if get_int(args, pictures.PACKED) != 0:
                    b, lead = weight + 4 * panel * kernel * kernel * c, columns
                for depth in range(0, kernel * c, deep):
                    some = min(deep, kernel * c - depth)
                    for row in range(0, rows, BLOCK):
                        # A few lines at a time: more at once would make the products wait.
                        fetch_source(args, x_next, x_lines, count * x_size)
                        if beside != 0:
                            fetch(beside, y_next, y_lines, count * y_size)
                        a = picture + 4 * ((i * width + row) * stride * c + depth)
                        to = out + 4 * ((i * rows + row) * k + panel)
                        product_ahead(
                            a, stride * c, width * c, 1, b + 4 * depth * lead, kernel * c * lead, lead, to, k,
                            min(BLOCK, rows - row), columns, kernel, some, depth,
                            get_int(args, pictures.Y) + 4 * y_next, pace,
                        )  # fmt: skip
                        x_next += 16 * x_lines
                        y_next += 16 * y_lines
        if rows != out_width or not finished:
            keep_output(k, args, n, out, rows, statistics, sums)
        if statistics:
            flush(2 * k, sums, totals, n == start)


def backward_scratch(
    height: int,
    width: int,
    out_height: int,
    out_width: int,
    c: int,
    k: int,
    kernel: int,
    stride: int,
    padding: int,
) -> int:
    """Floats of scratch that `backward` needs for one picture."""
    halo = -(-kernel // stride) - 1
    picture = (height + 2 * padding) * (width + 2 * padding) * c + (kernel * c + ROWS + WIDTH)
    rows = max((height + 2 * padding - 1) // stride + 1, out_height) + 2 * halo
    columns = max((width + 2 * padding - 1) // stride + 1, out_width) + 2 * halo + 1
    dy = (rows * columns + ROWS) * k
    dx = height * stride * rounded_up(-(-width // stride)) * c
    return picture + dy + dx + 2 * c + 512


def backward(c, k, stride, what, args, part, scratch):
    """dx and, where `what` is BOTH, this part's dweight [kernel, kernel c rounded up, k]."""
    c, k, stride, what = np.int64(c), np.int64(k), np.int64(stride), np.int64(what)
    kernel, padding = get_int(args, pictures.KERNEL), get_int(args, pictures.PADDING)
    in_height, in_width = get_int(args, pictures.HEIGHT), get_int(args, pictures.BREADTH)
    height, width = in_height + 2 * padding, in_width + 2 * padding
    out_height, out_width = get_int(args, pictures.OUT_HEIGHT), get_int(args, pictures.OUT_BREADTH)
    packed = get_int(args, pictures.WEIGHT)
    taps = rounded(kernel * c)
    dweight = get_int(args, pictures.WEIGHT_GRADIENT) + 4 * kernel * taps * k * part
    halo = (kernel + stride - 1) // stride - 1
    dy_rows = max((height - 1) // stride + 1, out_height) + 2 * halo
    dy_width = max((width - 1) // stride + 1, out_width) + 2 * halo + 1
    size = (height * width * c + kernel * c + ROWS + WIDTH - 1) // WIDTH * WIDTH
    dy_size = (dy_rows * dy_width + ROWS) * k
    dx_width = stride * rounded((in_width + stride - 1) // stride)
    dy = scratch + 4 * size
    dx = dy + 4 * dy_size
    sums = dx + 4 * in_height * dx_width * c
    clear(scratch, size + dy_size)
    inside = dy + 4 * (halo * dy_width + halo) * k
    mode = get_int(args, pictures.DX_MODE)
    # An input that no vector fits is only read: its gradient's sums are never asked for.
    summed = mode != pictures.PLAIN
    totals = get_int(args, pictures.SUMS) + 16 * c * part
    if summed:
        clear(sums, 2 * c)
    start, stop = part_of(get_int(args, pictures.COUNT), part, get_int(args, pictures.PARTS))
    x_size, y_size = in_height * in_width * c, out_height * out_width * k
    turns = in_height * ((c + PANEL - 1) // PANEL)
    x_lines, y_lines = x_size // 16 // turns + 1, y_size // 16 // turns + 1
    whole = kernel == 1 and stride == 1 and padding == 0 and width % ROWS == 0
    as_it_lies = lies_ready(args, stride, width)
    picture = scratch
    # Only dx meets pixels of dy beyond its border.
    if whole:
        dy_width, inside = out_width, dy
    # Rows whose panel of dy stays in the first-level cache while one row of the kernel follows the other.
    band = max(1, BAND // out_width)
    g_in, raw = get_int(args, pictures.DY), get_int(args, pictures.RAW)
    for n in range(start, stop):
        x_next, y_next = (n + 1) * x_size, (n + 1) * y_size
        if as_it_lies:
            picture = get_int(args, pictures.X) + 4 * n * x_size
        elif what == BOTH or summed:
            load_picture(c, args, n, scratch, width)
        if whole and get_int(args, pictures.GRADIENT_MODE) == pictures.AS_IT_IS:
            dy = get_int(args, pictures.DY) + 4 * n * y_size
            inside = dy
        else:
            load_gradient(k, args, n, inside, dy_width)
        if what == BOTH:
            for panel in range(0, k, PANEL):
                columns = min(PANEL, k - panel)
                for top in range(0, out_height, band):
                    high = min(band, out_height - top)
                    b = inside + 4 * (top * dy_width * k + panel)
                    for u in range(kernel):
                        a = picture + 4 * (top * stride + u) * width * c
                        to = dweight + 4 * (u * taps * k + panel)
                        product(
                            a, 1, stride * width * c, stride * c, b, dy_width * k, k, to, k, taps, columns,
                            high, out_width, n - start + top,
                        )  # fmt: skip
        for panel in range(0, c, PANEL):
            columns = min(PANEL, c - panel)
            for i in range(in_height):
                fetch_pair(g_in, raw, y_next, y_lines, stop * y_size)
                fetch(get_int(args, pictures.X), x_next, x_lines, stop * x_size)
                if summed:
                    fetch(get_int(args, pictures.X_RAW), x_next - x_size, x_lines, stop * x_size)
                fetch_to_write(get_int(args, pictures.DX), x_next - x_size, x_lines, stop * x_size)
                x_next += 16 * x_lines
                y_next += 16 * y_lines
                down = (i + padding) % stride
                q = (i + padding) // stride
                high = taps_in_phase(kernel, stride, down)
                for first in range(min(stride, in_width)):
                    right = (first + padding) % stride
                    p = (first + padding) // stride
                    wide = taps_in_phase(kernel, stride, right)
                    a = dy + 4 * ((q - high + 1 + halo) * dy_width + p - wide + 1 + halo) * k
                    b = packed + 4 * (taps_before(kernel, stride, down, right) * k * c + panel)
                    to = dx + 4 * ((i * dx_width + first) * c + panel)
                    rows = rounded((in_width - first + stride - 1) // stride)
                    product(
                        a, k, dy_width * k, 1, b, wide * k * c, c, to, stride * c, rows, columns,
                        high, wide * k, 0,
                    )  # fmt: skip
        keep_gradient(c, args, n, dx, dx_width, picture, width, sums)
        if summed:
            flush(2 * c, sums, totals, n == start)


@inline
def taps_in_phase(kernel, stride, phase):
    """How many of the kernel's taps phase, phase + stride, ... there are."""
    return max(0, (kernel - phase + stride - 1) // stride)


@inline
def taps_before(kernel, stride, down, right):
    """How many taps the packed weight holds before the phase (down, right)."""
    count = 0
    for i in range(down):
        count += taps_in_phase(kernel, stride, i) * kernel
    for j in range(right):
        count += taps_in_phase(kernel, stride, down) * taps_in_phase(kernel, stride, j)
    return count
