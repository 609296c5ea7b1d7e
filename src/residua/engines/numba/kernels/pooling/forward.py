"""Pooling: the largest number or the mean of each window.

A window reads a picture that may still lack its normalisation and ReLU: v = relu?(x scale + shift), done
again for every window that a pixel lies in, which costs less than a pass over memory. Nothing is saved for
the way back but the output: of the numbers in a window, the first in reading order that equals the output
was the largest.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.pooling.arguments import MAXIMUM, pooling_of
from residua.engines.numba.kernels.primitives.scalars import get, part_of
from residua.engines.numba.kernels.primitives.vector import (
    WIDTH,
    above,
    fma,
    largest,
    load,
    splat,
    store,
    zero,
)


def forward(kind, l1, l2, l3, args, part, scratch):
    """y: the largest number of each window (NaN if there is one), or its sum over kernel * kernel."""
    kind = np.int64(kind)
    p = pooling_of(args)
    height, width, channels, out_height, out_width = p.height, p.width, p.channels, p.out_height, p.out_width
    kernel, stride, padding = p.kernel, p.stride, p.padding
    low = splat(get(p.low, 0))
    share = splat(np.float32(1) / np.float32(kernel * kernel))
    # Rows of outputs, of all pictures.
    start, stop = part_of(p.batch * out_height, part, p.parts)
    for row in range(start, stop):
        n, i = row // out_height, row % out_height
        top, bottom = max(0, i * stride - padding), min(height, i * stride - padding + kernel)
        for c in range(0, channels, WIDTH):
            s, t = load(p.scale, c), load(p.shift, c)
            for j in range(out_width):
                left, right = max(0, j * stride - padding), min(width, j * stride - padding + kernel)
                result = splat(np.float32(-np.inf)) if kind == MAXIMUM else zero()
                for h in range(top, bottom):
                    at = ((n * height + h) * width + left) * channels + c
                    for _ in range(left, right):
                        v = above(low, fma(load(p.x, at), s, t))
                        result = largest(result, v) if kind == MAXIMUM else result + v
                        at += channels
                if kind != MAXIMUM:
                    result = result * share
                store(p.y, (row * out_width + j) * channels + c, result)
