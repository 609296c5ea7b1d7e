"""Pooling on its way back: gradients go to the first maximum, or to all of a window alike.

Backward, the windows of one row of outputs are spread over the rows of dx that they cover; rows that no later
window reaches are finished at once, while they are in the cache: masked by the ReLU in front, and summed for
the normalisation in front.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.pooling.arguments import MAXIMUM, Window, pooling_of
from residua.engines.numba.kernels.primitives.scalars import clear, flush, get, part_of
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

FEW = 16  # pixels


@inline
def _spread(kind, window, p, out):
    """One pixel of dy, all channels, over the window of x that begins so many floats from its first."""
    low = splat(get(p.low, 0))
    share = splat(np.float32(1) / np.float32(p.kernel * p.kernel))
    for c in range(0, window.pixel, WIDTH):
        s, t = load(p.scale, c), load(p.shift, c)
        gradient = load(p.dy, out + c)
        maximum = load(p.y, out + c)
        if kind != MAXIMUM:
            gradient = gradient * share
        for h in range(window.rows):
            for w in range(window.columns):
                at = window.first + h * window.row + w * window.pixel + c
                if kind == MAXIMUM:
                    v = above(low, fma(load(p.x, at), s, t))
                    store(p.dx, at, load(p.dx, at) + where_equal(v, maximum, gradient, zero()))
                    gradient = where_equal(v, maximum, zero(), gradient)
                else:
                    store(p.dx, at, load(p.dx, at) + gradient)


def backward(kind, usual, l2, l3, args, part, scratch):
    """dx, masked where a ReLU was in front, and its sums for a normalisation in front.

    usual: the kernel's side where windows inside the picture are to be compiled for it, or 0.
    """
    kind, usual = np.int64(kind), np.int64(usual)
    p = pooling_of(args)
    height, width, channels, out_height, out_width = p.height, p.width, p.channels, p.out_height, p.out_width
    kernel, stride, padding = p.kernel, p.stride, p.padding
    low = splat(get(p.low, 0))
    start, stop = part_of(p.batch, part, p.parts)
    row = width * channels
    summed = p.sums != 0
    clear(scratch, 2 * channels)
    for n in range(start, stop):
        first = n * height
        cleared, done = 0, 0
        for i in range(out_height):
            top, bottom = max(0, i * stride - padding), min(height, i * stride - padding + kernel)
            if bottom > cleared:
                clear(p.dx + 4 * (first + cleared) * row, (bottom - cleared) * row)
                cleared = bottom
            for j in range(out_width):
                left, right = max(0, j * stride - padding), min(width, j * stride - padding + kernel)
                at = ((first + top) * width + left) * channels
                window = Window(at, row, channels, bottom - top, right - left)
                out = ((n * out_height + i) * out_width + j) * channels
                if usual != 0 and bottom - top == usual and right - left == usual:
                    _spread(kind, Window(at, row, channels, usual, usual), p, out)
                else:
                    _spread(kind, window, p, out)
            ready = max(done, min(cleared, (i + 1) * stride - padding))
            _finish(args, first + done, first + ready, low, scratch)
            done = ready
        if cleared < height:
            clear(p.dx + 4 * (first + cleared) * row, (height - cleared) * row)
        _finish(args, first + done, first + height, low, scratch)
        if summed:
            flush(2 * channels, scratch, p.sums + 16 * channels * part, n == start)


@inline
def _finish(args, begin, end, low, sums):
    """Mask rows of dx by the ReLU in front, and add to the sums of g and g (x - mean)."""
    p = pooling_of(args)
    channels, row = p.channels, p.width * p.channels
    # Some pixels at a time, so that memory is read from end to end.
    for first in range(begin * row, end * row, FEW * channels):
        last = min(end * row, first + FEW * channels)
        for c in range(0, channels, WIDTH):
            s, t = load(p.scale, c), load(p.shift, c)
            m = load(p.mean, c)
            total, product = load(sums, c), load(sums, channels + c)
            for at in range(first + c, last, channels):
                g = where_above(fma(load(p.x, at), s, t), low, load(p.dx, at))
                store(p.dx, at, g)
                if p.sums != 0:
                    total = total + g
                    product = fma(g, load(p.raw, at) - m, product)
            store(sums, c, total)
            store(sums, channels + c, product)
