"""Pooling: the largest number or the mean of each window.

A window reads a picture that may still lack its normalisation and ReLU: v = relu?(x scale + shift), done
again for every window that a pixel lies in, which costs less than a pass over memory. Nothing is saved for
the way back but the output: of the numbers in a window, the first in reading order that equals the output
was the largest.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.pooling.arguments import MAXIMUM, Window, pooling_of
from residua.engines.numba.kernels.primitives.scalars import get, part_of
from residua.engines.numba.kernels.primitives.vector import (
    WIDTH,
    above,
    fma,
    inline,
    largest,
    load,
    splat,
    store,
    zero,
)


@inline
def _pool(kind, window, p, share, to):
    """One pixel of y, all channels."""
    low = splat(get(p.low, 0))
    for c in range(0, window.pixel, WIDTH):
        s, t = load(p.scale, c), load(p.shift, c)
        result = splat(np.float32(-np.inf)) if kind == MAXIMUM else zero()
        for h in range(window.rows):
            for w in range(window.columns):
                v = above(low, fma(load(p.x, window.first + h * window.row + w * window.pixel + c), s, t))
                result = largest(result, v) if kind == MAXIMUM else result + v
        if kind != MAXIMUM:
            result = result * share
        store(to, c, result)


def forward(kind, usual, l2, l3, args, part, scratch):
    """y: the largest number of each window (NaN if there is one), or its sum over kernel * kernel.

    usual: the kernel's side where windows inside the picture are to be compiled for it, or 0.
    """
    kind, usual = np.int64(kind), np.int64(usual)
    p = pooling_of(args)
    height, width, channels, out_height, out_width = p.height, p.width, p.channels, p.out_height, p.out_width
    kernel, stride, padding = p.kernel, p.stride, p.padding
    share = splat(np.float32(1) / np.float32(kernel * kernel))
    # Rows of outputs, of all pictures. Pixel by pixel, so that memory is read from end to end.
    start, stop = part_of(p.batch * out_height, part, p.parts)
    for row in range(start, stop):
        n, i = row // out_height, row % out_height
        top, bottom = max(0, i * stride - padding), min(height, i * stride - padding + kernel)
        for j in range(out_width):
            left, right = max(0, j * stride - padding), min(width, j * stride - padding + kernel)
            at = ((n * height + top) * width + left) * channels
            window = Window(at, width * channels, channels, bottom - top, right - left)
            to = p.y + 4 * (row * out_width + j) * channels
            if usual != 0 and bottom - top == usual and right - left == usual:
                _pool(kind, Window(at, window.row, channels, usual, usual), p, share, to)
            else:
                _pool(kind, window, p, share, to)
