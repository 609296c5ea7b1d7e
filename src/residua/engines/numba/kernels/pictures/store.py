"""Gradients and outputs on their way out of a convolution, finished as they pass."""

from __future__ import annotations

from residua.engines.numba.kernels.pictures.arguments import (
    BEFORE,
    BIAS,
    BREADTH,
    DX,
    DX_MODE,
    DX_SKIP,
    HEIGHT,
    LOW,
    MASK,
    OUT_BREADTH,
    OUT_HEIGHT,
    OUT_LOW,
    PADDING,
    PLAIN,
    SKIP_BREADTH,
    SKIP_CHANNELS,
    SKIP_HEIGHT,
    STEP,
    SUMMED_SKIP,
    SUMMED_SUBSAMPLED,
    X_MEAN,
    X_RAW,
    Y_SKIP,
    Y,
)
from residua.engines.numba.kernels.primitives.scalars import get, get_int
from residua.engines.numba.kernels.primitives.vector import (
    WIDTH,
    above,
    fma,
    inline,
    load,
    splat,
    store,
    where_above,
    zero,
)


@inline
def keep_gradient(channels, args, n, dx, dx_breadth, picture, breadth, sums):
    """Picture n's dx from the scratch `dx`; with x from `picture`'s inside as the mask; adds to `sums`."""
    height, padding = get_int(args, HEIGHT), get_int(args, PADDING)
    x = picture + 4 * (padding * breadth + padding) * channels
    keep_gradient_rows(channels, args, n, 0, height, dx, dx_breadth, x, breadth, sums)


@inline
def keep_gradient_rows(channels, args, n, first, stop, dx, dx_breadth, picture, breadth, sums):
    """Rows first to stop of picture n's dx, from the scratch `dx`, with x from `picture` as the mask."""
    height, width = get_int(args, HEIGHT), get_int(args, BREADTH)
    mode, result = get_int(args, DX_MODE), get_int(args, DX)
    raw, skip = get_int(args, X_RAW), get_int(args, DX_SKIP)
    low = splat(get(get_int(args, LOW), 0))
    row = width * channels
    for i in range(first, stop):
        to = (n * height + i) * row
        d = dx + 4 * (i - first) * dx_breadth * channels
        x = picture + 4 * (i - first) * breadth * channels
        if mode == PLAIN:
            for j in range(0, row, WIDTH):
                store(result, to + j, load(d, j))
            continue
        step = get_int(args, STEP)
        if mode == SUMMED_SUBSAMPLED and i % step == 0:
            pitch = get_int(args, SKIP_CHANNELS)
            start = (n * get_int(args, SKIP_HEIGHT) + i // step) * get_int(args, SKIP_BREADTH) * pitch
            for c in range(0, channels, WIDTH):
                inside = load(get_int(args, MASK), c)
                k = start + get_int(args, BEFORE) + c
                for j in range(c, row, step * channels):
                    store(d, j, load(d, j) + where_above(inside, zero(), load(skip, k)))
                    k += pitch
        for c in range(0, channels, WIDTH):
            total, product = load(sums, c), load(sums, channels + c)
            mean = load(get_int(args, X_MEAN), c)
            # Two pixels a turn, with sums of their own: one chain of additions would wait for each.
            other, last = zero(), row - channels
            for j in range(c, last, 2 * channels):
                k = j + channels
                v, w = load(d, j), load(d, k)
                if mode == SUMMED_SKIP:
                    v, w = v + load(skip, to + j), w + load(skip, to + k)
                v, w = where_above(load(x, j), low, v), where_above(load(x, k), low, w)
                store(result, to + j, v)
                store(result, to + k, w)
                total = total + (v + w)
                product = fma(v, load(raw, to + j) - mean, product)
                other = fma(w, load(raw, to + k) - mean, other)
            if width % 2 == 1:
                j = last + c
                v = load(d, j)
                if mode == SUMMED_SKIP:
                    v = v + load(skip, to + j)
                v = where_above(load(x, j), low, v)
                store(result, to + j, v)
                total = total + v
                product = fma(v, load(raw, to + j) - mean, product)
            product = product + other
            store(sums, c, total)
            store(sums, channels + c, product)


@inline
def keep_output(channels, args, n, source, breadth, statistics, sums):
    """Picture n of y from the scratch `source`, whose rows are `breadth` pixels."""
    height, width, y = get_int(args, OUT_HEIGHT), get_int(args, OUT_BREADTH), get_int(args, Y)
    row = width * channels
    for c in range(0, channels, WIDTH):
        if statistics:
            total, square, other = load(sums, c), load(sums, channels + c), zero()
            for i in range(height):
                to, s, last = (n * height + i) * row, i * breadth * channels, row - channels
                for j in range(c, last, 2 * channels):
                    v, w = load(source, s + j), load(source, s + j + channels)
                    store(y, to + j, v)
                    store(y, to + j + channels, w)
                    total = total + (v + w)
                    square = fma(v, v, square)
                    other = fma(w, w, other)
                if width % 2 == 1:
                    v = load(source, s + last + c)
                    store(y, to + last + c, v)
                    total = total + v
                    square = fma(v, v, square)
            square = square + other
            store(sums, c, total)
            store(sums, channels + c, square)
        else:
            bias, low = load(get_int(args, BIAS), c), load(get_int(args, OUT_LOW), c)
            skip = get_int(args, Y_SKIP)
            for i in range(height):
                to, s = (n * height + i) * row, i * breadth * channels
                for j in range(c, row, channels):
                    v = above(low, load(source, s + j) + bias)
                    if skip != 0:
                        v = above(zero(), v + load(skip, to + j))
                    store(y, to + j, v)
