"""Pooling on its way back: gradients go to the first maximum, or to all of a window alike.

Backward, the windows of one row of outputs are spread over the rows of dx that they cover; rows that no later
window reaches are finished at once, while they are in the cache: masked by the ReLU in front, and summed for
the normalisation in front.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.pooling.arguments import (
    BREADTH,
    CHANNELS,
    COUNT,
    DX,
    DY,
    HEIGHT,
    KERNEL,
    LOW,
    MAXIMUM,
    MEAN,
    OUT_BREADTH,
    OUT_HEIGHT,
    PADDING,
    PARTS,
    RAW,
    SCALE,
    SHIFT,
    STRIDE,
    SUMS,
    X,
    Y,
)
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import (
    WIDTH,
    above,
    fma,
    inline,
    load,
    splat,
    store,
    where_above,
    where_equal,
    zero,
)


def backward(kind, l1, l2, l3, args, part, scratch):
    """dx, masked where a ReLU was in front, and its sums for a normalisation in front."""
    kind = np.int64(kind)
    height, width, channels = get_int(args, HEIGHT), get_int(args, BREADTH), get_int(args, CHANNELS)
    out_height, out_width = get_int(args, OUT_HEIGHT), get_int(args, OUT_BREADTH)
    kernel, stride, padding = get_int(args, KERNEL), get_int(args, STRIDE), get_int(args, PADDING)
    x, y, dy, dx = get_int(args, X), get_int(args, Y), get_int(args, DY), get_int(args, DX)
    low = splat(get(get_int(args, LOW), 0))
    share = splat(np.float32(1) / np.float32(kernel * kernel))
    start, stop = part_of(get_int(args, COUNT), part, get_int(args, PARTS))
    row = width * channels
    summed = get_int(args, SUMS) != 0
    clear(scratch, 2 * channels)
    for n in range(start, stop):
        first = n * height
        cleared, done = 0, 0
        for i in range(out_height):
            top, bottom = max(0, i * stride - padding), min(height, i * stride - padding + kernel)
            if bottom > cleared:
                clear(dx + 4 * (first + cleared) * row, (bottom - cleared) * row)
                cleared = bottom
            for c in range(0, channels, WIDTH):
                s, t = load(get_int(args, SCALE), c), load(get_int(args, SHIFT), c)
                for j in range(out_width):
                    left, right = max(0, j * stride - padding), min(width, j * stride - padding + kernel)
                    out = ((n * out_height + i) * out_width + j) * channels + c
                    rest = load(dy, out)
                    best = load(y, out)
                    if kind != MAXIMUM:
                        rest = rest * share
                    for h in range(top, bottom):
                        at = ((first + h) * width + left) * channels + c
                        for _ in range(left, right):
                            if kind == MAXIMUM:
                                v = above(low, fma(load(x, at), s, t))
                                store(dx, at, load(dx, at) + where_equal(v, best, rest, zero()))
                                rest = where_equal(v, best, zero(), rest)
                            else:
                                store(dx, at, load(dx, at) + rest)
                            at += channels
            ready = max(done, min(cleared, (i + 1) * stride - padding))
            _finish(args, first, done, ready, row, channels, low, summed, scratch)
            done = ready
        if cleared < height:
            clear(dx + 4 * (first + cleared) * row, (height - cleared) * row)
        _finish(args, first, done, height, row, channels, low, summed, scratch)
        if summed:
            flush(2 * channels, scratch, get_int(args, SUMS) + 16 * channels * part, n == start)


@inline
def _finish(args, first, begin, end, row, channels, low, summed, sums):
    """Mask rows of dx by the ReLU in front, and add to the sums of g and g (x - mean)."""
    x, dx, raw = get_int(args, X), get_int(args, DX), get_int(args, RAW)
    for c in range(0, channels, WIDTH):
        s, t = load(get_int(args, SCALE), c), load(get_int(args, SHIFT), c)
        m = load(get_int(args, MEAN), c)
        total, product = load(sums, c), load(sums, channels + c)
        for at in range((first + begin) * row + c, (first + end) * row + c, channels):
            g = where_above(fma(load(x, at), s, t), low, load(dx, at))
            store(dx, at, g)
            total = total + g
            product = fma(g, load(raw, at) - m, product)
        if summed:
            store(sums, c, total)
            store(sums, channels + c, product)
