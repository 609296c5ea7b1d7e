"""The weight's gradient alone, straight from its sum: what a network's first convolution needs.

    dweight[u, (v, c)] += x's pixels transposed  x  dy, sum over all output pixels

Few channels come in and nothing goes out, so there is little to compute for each number of dy that is read.
It is read once, a band of rows at a time, which stays in the first-level cache for all rows of the kernel;
where it needs no finishing, it is read where it lies.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.direct.in_place import readable_in_place
from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.arguments import Frame, Rows, geometry
from residua.engines.numba.kernels.pictures.load import load_gradient_rows, load_picture
from residua.engines.numba.kernels.primitives.prefetch import fetch_pair
from residua.engines.numba.kernels.primitives.scalars import clear, get_int, part_of, unknown
from residua.engines.numba.kernels.products.blocks import PANEL, rounded, window_block
from residua.engines.numba.kernels.products.operands import Left, Result, Right, Size
from residua.engines.numba.kernels.products.panels import columns_at
from residua.engines.numba.kernels.products.product import product_of_window

BAND = 128  # pixels


def backward(c, k, stride, unused, args, part, scratch):
    """This part's dweight [kernel, kernel c rounded up, k]."""
    c, k, stride = np.int64(c), np.int64(k), np.int64(stride)
    g = geometry(args)
    kernel, out_height, out_width = g.kernel, g.out_height, g.out_width
    height, width = g.height + 2 * g.padding, g.width + 2 * g.padding
    taps = rounded(kernel * c)
    dweight = get_int(args, pictures.WEIGHT_GRADIENT) + 4 * kernel * taps * k * part
    # With what the last block's rows reach into, and a multiple of vectors, as what follows.
    size = (height * width * c + taps + PANEL - 1) // PANEL * PANEL
    clear(scratch, size)
    finished, dy = scratch + 4 * size, get_int(args, pictures.DY)
    ready = get_int(args, pictures.GRADIENT_MODE) == pictures.AS_IT_IS
    in_place = readable_in_place(args, stride, width)
    picture, raw = scratch, get_int(args, pictures.RAW)
    x_size, y_size = g.height * g.width * c, out_height * out_width * k
    band = max(1, BAND // out_width)
    window = kernel * c
    block = window_block(window)  # a few lines are fetched before each
    wide = min(PANEL, k)
    turns = kernel * ((window + block - 1) // block) * ((k + wide - 1) // wide)
    lines = band * out_width * k // 16 // turns + 1
    # Windows of few channels overlap: told by how much, LLVM keeps so much in registers that it spills sums.
    step = unknown(stride * c)
    start, stop = part_of(g.batch, part, g.parts)
    for n in range(start, stop):
        if in_place:
            picture = get_int(args, pictures.X) + 4 * n * x_size
        else:
            load_picture(c, args, n, Frame(scratch, width))
        for top in range(0, out_height, band):
            high = min(band, out_height - top)
            b = dy + 4 * (n * y_size + top * out_width * k)
            if not ready:
                load_gradient_rows(k, args, Rows(n, top, top + high), Frame(finished, out_width))
                b = finished
            y_next = n * y_size + (top + high) * out_width * k
            for panel in range(0, k, wide):
                for u in range(kernel):
                    a = picture + 4 * (top * stride + u) * width * c
                    to = dweight + 4 * (u * taps * k + panel)
                    for row in range(0, window, block):
                        fetch_pair(dy, raw, y_next, lines, g.batch * y_size)
                        y_next += 16 * lines
                        product_of_window(
                            Left(a + 4 * row, 1, stride * width * c, step),
                            Right(b + 4 * panel, out_width * k, k),
                            Result(to + 4 * row * k, k),
                            Size(block, columns_at(panel, k, wide), high, out_width),
                            n - start + top,
                        )
