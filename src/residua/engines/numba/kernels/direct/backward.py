"""Gradients of direct convolutions: by the pictures, and by the weight where both are wanted.

The pictures lie in a scratch as for `forward`.

    dweight     [u, (v, c)] += x's pixels transposed  x  dy, sum over all output pixels
    dx          for stride s the pixels of dx fall into s x s phases, and in each the taps u = phase + s t of
                the kernel meet dy[q - t]: a convolution of dy with a part of the kernel, turned round
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.direct.in_place import readable_in_place
from residua.engines.numba.kernels.direct.phases import taps_before, taps_in_phase
from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.arguments import BOTH, Frame, geometry
from residua.engines.numba.kernels.pictures.load import load_gradient, load_picture
from residua.engines.numba.kernels.pictures.shape import Shape
from residua.engines.numba.kernels.pictures.store import store_gradient
from residua.engines.numba.kernels.primitives.prefetch import fetch, fetch_pair, fetch_to_write
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH
from residua.engines.numba.kernels.products.blocks import (
    PANEL,
    ROWS,
    rounded,
    rounded_up,
)
from residua.engines.numba.kernels.products.operands import Left, Result, Right, Size
from residua.engines.numba.kernels.products.product import product

BAND = 128  # pixels


def backward_scratch(shape: Shape) -> int:
    """Floats of scratch that `backward` needs for one picture."""
    (height, width), c, kernel, stride = shape.bordered, shape.c, shape.kernel, shape.stride
    halo = -(-kernel // stride) - 1
    picture = height * width * c + (kernel * c + ROWS + WIDTH)
    rows = max((height - 1) // stride + 1, shape.out_height) + 2 * halo
    columns = max((width - 1) // stride + 1, shape.out_width) + 2 * halo + 1
    dy = (rows * columns + ROWS) * shape.k
    dx = shape.height * stride * rounded_up(-(-shape.width // stride)) * c
    return picture + dy + dx + 2 * c + 512


def backward(c, k, stride, what, args, part, scratch):
    """dx and, where `what` is BOTH, this part's dweight [kernel, kernel c rounded up, k]."""
    c, k, stride, what = np.int64(c), np.int64(k), np.int64(stride), np.int64(what)
    g = geometry(args)
    kernel, padding, in_height, in_width = g.kernel, g.padding, g.height, g.width
    height, width = in_height + 2 * padding, in_width + 2 * padding
    out_height, out_width = g.out_height, g.out_width
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
    first_dy = dy + 4 * (halo * dy_width + halo) * k
    mode = get_int(args, pictures.DX_MODE)
    # An input that no vector fits is only read: its gradient's sums are never asked for.
    summed = mode != pictures.PLAIN
    totals = get_int(args, pictures.SUMS) + 16 * c * part
    if summed:
        clear(sums, 2 * c)
    start, stop = part_of(g.batch, part, g.parts)
    x_size, y_size = in_height * in_width * c, out_height * out_width * k
    turns = in_height * ((c + PANEL - 1) // PANEL)
    x_lines, y_lines = x_size // 16 // turns + 1, y_size // 16 // turns + 1
    whole = kernel == 1 and stride == 1 and padding == 0 and width % ROWS == 0
    in_place = readable_in_place(args, stride, width)
    picture = scratch
    # Only dx meets pixels of dy beyond its border.
    if whole:
        dy_width, first_dy = out_width, dy
    # Rows whose panel of dy stays in the first-level cache while one row of the kernel follows the other.
    band = max(1, BAND // out_width)
    g_in, raw = get_int(args, pictures.DY), get_int(args, pictures.RAW)
    for n in range(start, stop):
        x_next, y_next = (n + 1) * x_size, (n + 1) * y_size
        if in_place:
            picture = get_int(args, pictures.X) + 4 * n * x_size
        elif what == BOTH or summed:
            load_picture(c, args, n, Frame(scratch, width))
        if whole and get_int(args, pictures.GRADIENT_MODE) == pictures.AS_IT_IS:
            dy = get_int(args, pictures.DY) + 4 * n * y_size
            first_dy = dy
        else:
            load_gradient(k, args, n, Frame(first_dy, dy_width))
        if what == BOTH:
            for panel in range(0, k, PANEL):
                columns = min(PANEL, k - panel)
                for top in range(0, out_height, band):
                    high = min(band, out_height - top)
                    b = first_dy + 4 * (top * dy_width * k + panel)
                    for u in range(kernel):
                        a = picture + 4 * (top * stride + u) * width * c
                        to = dweight + 4 * (u * taps * k + panel)
                        product(
                            Left(a, 1, stride * width * c, stride * c),
                            Right(b, dy_width * k, k),
                            Result(to, k),
                            Size(taps, columns, high, out_width),
                            n - start + top,
                        )
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
                        Left(a, k, dy_width * k, 1),
                        Right(b, wide * k * c, c),
                        Result(to, stride * c),
                        Size(rows, columns, high, wide * k),
                        0,
                    )
        store_gradient(c, args, n, Frame(dx, dx_width), Frame(picture, width), sums)
        if summed:
            flush(2 * c, sums, totals, n == start)
