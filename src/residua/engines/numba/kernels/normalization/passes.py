"""Passes over pictures that no convolution takes over: normalising, masking, sums per channel."""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.primitives.scalars import (
    clear,
    flush,
    get,
    get_double,
    get_int,
    part_of,
)
from residua.engines.numba.kernels.primitives.vector import (
    WIDTH,
    above,
    fma,
    load,
    splat,
    store,
    where_above,
    zero,
)

FEW = 16  # pixels of all channels at a time, so that memory is read from end to end


# The passes. Block: parts, pictures, pixels of each, channels (padded), then addresses.
def normalize(l0, l1, l2, l3, args, part, scratch):
    """z = relu?(raw scale + shift [+ skip]); with `mean` also its mean over each picture.

    Block from 4: raw, scale, shift, low, skip or 0, z, mean or 0.
    """
    parts, count, pixels, channels = get_int(args, 0), get_int(args, 1), get_int(args, 2), get_int(args, 3)
    raw, scale, shift = get_int(args, 4), get_int(args, 5), get_int(args, 6)
    low, skip, z, mean = (
        splat(get(get_int(args, 7), 0)),
        get_int(args, 8),
        get_int(args, 9),
        get_int(args, 10),
    )
    share = splat(np.float32(1) / np.float32(pixels))
    start, stop = part_of(count, part, parts)
    row = pixels * channels
    for n in range(start, stop):
        clear(scratch, channels)
        for begin in range(n * row, n * row + row, FEW * channels):
            end = min(begin + FEW * channels, n * row + row)
            for c in range(0, channels, WIDTH):
                s, t, total = load(scale, c), load(shift, c), load(scratch, c)
                for i in range(begin + c, end, channels):
                    v = fma(load(raw, i), s, t)
                    if skip != 0:
                        v = v + load(skip, i)
                    v = above(low, v)
                    store(z, i, v)
                    total = total + v
                store(scratch, c, total)
        if mean != 0:
            for c in range(0, channels, WIDTH):
                store(mean, n * channels + c, load(scratch, c) * share)


def mask_gradient(l0, l1, l2, l3, args, part, scratch):
    """g = dy where z > 0, and the sums of g and g (raw - mean).

    Block from 4: dy, one row a picture or a pixel, z or 0, raw, mean, g or 0, sums; double: factor of dy.
    """
    parts, count, pixels, channels = get_int(args, 0), get_int(args, 1), get_int(args, 2), get_int(args, 3)
    dy, spread, z, raw = get_int(args, 4), get_int(args, 5), get_int(args, 6), get_int(args, 7)
    mean, g, sums = get_int(args, 8), get_int(args, 9), get_int(args, 10)
    factor = splat(np.float32(get_double(args, 11)))
    start, stop = part_of(count, part, parts)
    row = pixels * channels
    clear(scratch, 2 * channels)
    totals = sums + 16 * channels * part
    for n in range(start, stop):
        for begin in range(n * row, n * row + row, FEW * channels):
            end = min(begin + FEW * channels, n * row + row)
            for c in range(0, channels, WIDTH):
                total, product, m = load(scratch, c), load(scratch, channels + c), load(mean, c)
                v = zero()
                if spread != 0:
                    v = load(dy, n * channels + c) * factor
                for i in range(begin + c, end, channels):
                    if spread == 0:
                        v = load(dy, i) * factor
                    w = v
                    if z != 0:
                        w = where_above(load(z, i), zero(), v)
                    if g != 0:
                        store(g, i, w)
                    total = total + w
                    product = fma(w, load(raw, i) - m, product)
                store(scratch, c, total)
                store(scratch, channels + c, product)
        flush(2 * channels, scratch, totals, n == start)


def channel_sums(l0, l1, l2, l3, args, part, scratch):
    """The sums of dy over all pixels, where z > 0, as doubles. Block from 4: dy, z or 0, sums."""
    parts, count, pixels, channels = get_int(args, 0), get_int(args, 1), get_int(args, 2), get_int(args, 3)
    dy, z, sums = get_int(args, 4), get_int(args, 5), get_int(args, 6)
    start, stop = part_of(count, part, parts)
    row = pixels * channels
    clear(scratch, channels)
    for n in range(start, stop):
        for c in range(0, channels, WIDTH):
            total = load(scratch, c)
            for i in range(n * row + c, n * row + row, channels):
                v = load(dy, i)
                if z != 0:
                    v = where_above(load(z, i), zero(), v)
                total = total + v
            store(scratch, c, total)
        flush(channels, scratch, sums + 8 * channels * part, n == start)


def add(l0, l1, l2, l3, args, part, scratch):
    """out = a + b. Block: parts, vectors, a, b, out."""
    parts, count = get_int(args, 0), get_int(args, 1)
    a, b, out = get_int(args, 2), get_int(args, 3), get_int(args, 4)
    start, stop = part_of(count, part, parts)
    for i in range(start * WIDTH, stop * WIDTH, WIDTH):
        store(out, i, load(a, i) + load(b, i))
