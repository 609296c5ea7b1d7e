"""Pictures on their way into a convolution and gradients on their way out, finished as they pass.

Batch normalisation, ReLU and the sum with a shortcut never make a pass over memory of their own: they are
bound by memory there, and cost as much as a convolution. They ride on passes that a convolution makes
anyway, between the batch in main memory and one picture in a scratch in the second-level cache:

    load_picture    scratch = relu?(x scale + shift + skip), with a border of zeros; keeps z where asked;
                    a skip may have a scale and a shift of its own
    load_gradient   scratch = the gradient by the raw convolution, from the one by its finished output
    keep_gradient   dx from the scratch + the shortcut's gradient, zero where ReLU was, and the sums that
                    the batch normalisation in front of it needs
    keep_output     y from the scratch, with bias and ReLU, or with the sums for batch normalisation

Layout: (pictures, rows, columns, channels), channels side by side, a multiple of WIDTH (the engine pads
with zeros; a convolution's input alone may have any number). One vector is WIDTH channels of one pixel.

Kernels take their arguments as one block of int64; the constants below are the places in it.
"""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.scalars import fetch_results, get, get_int, part_of, put
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

# The batch and the geometry.
PARTS, COUNT, HEIGHT, BREADTH, PADDING, OUT_HEIGHT, OUT_BREADTH, GROUP, CHUNK, KERNEL = range(10)
# Where x comes from: (MODE, KEEP, ...); scale, shift and the lower bound LOW are one number a channel.
MODE, KEEP, X, SCALE, SHIFT, LOW, SKIP, Z = range(10, 18)
COPY, NORM, NORM_SKIP, NORM_SUBSAMPLED = range(4)
# A subsampled skip: pixels (i STEP, j STEP) of pictures of SKIP_HEIGHT x SKIP_BREADTH with SKIP_CHANNELS;
# its channel 0 is added to channel BEFORE; MASK is 1 for the channels that it has.
STEP, SKIP_HEIGHT, SKIP_BREADTH, SKIP_CHANNELS, BEFORE, MASK = range(18, 24)
# The convolution.
WEIGHT, Y, SUMS, BIAS, OUT_LOW = range(24, 29)
# Backward: how dy is finished (GRADIENT_MODE), its parts, and where results go.
GRADIENT_MODE, DY, RAW, A, B, C0, WEIGHT_GRADIENT, DX = range(29, 37)
AS_IT_IS, AFFINE, MASKED = range(3)
# Backward: what happens to dx, and what it needs.
DX_MODE, X_RAW, X_MEAN, DX_SKIP = range(37, 41)
PLAIN, SUMMED, SUMMED_SKIP, SUMMED_SUBSAMPLED = range(4)
# All pictures at once: Winograd's matrices for many channels, or x and dy of a heavy 1x1 convolution.
V, M = range(41, 43)
# How many rows of tiles (Winograd's way for few channels) or of outputs (gathered) are worked on at a time.
STRIP = 43
# A direct convolution: whether the weight lies in panels (`weights.pack_panels`).
PACKED = 44
# How many parts are worked on at a time: so far on lies, most likely, the next one of the same thread.
AHEAD = 45
# Without statistics: what is added to y before a ReLU, or 0.
Y_SKIP = 46
# What NORM_SKIP's skip is multiplied by, and what is added to it, a number each a channel.
SKIP_SCALE, SKIP_SHIFT = 47, 48
FIELDS = 49


@inline
def following(args, part, picture, stop):
    """The picture that comes next: this one, or, where the part ends, the first of the thread's next part."""
    if picture < stop:
        return picture
    count, parts = get_int(args, COUNT), get_int(args, PARTS)
    return part_of(count, part + get_int(args, AHEAD), parts)[0]


@inline
def copy_row(source, target, count):
    """target[0 : count] = source[0 : count], for any count."""
    whole = count - count % WIDTH
    for q in range(0, whole, WIDTH):
        store(target, q, load(source, q))
    for q in range(whole, count):
        put(target, q, get(source, q))


@inline
def load_picture(channels, args, n, target, breadth):
    """Picture n of x, finished, into the inside of `target`, whose rows are `breadth` pixels."""
    height, padding = get_int(args, HEIGHT), get_int(args, PADDING)
    load_rows(channels, args, n, 0, height, target + 4 * (padding * breadth + padding) * channels, breadth)


@inline
def load_rows(channels, args, n, first, stop, target, breadth):
    """Rows first to stop of picture n of x, finished, to `target` with rows `breadth` pixels apart."""
    height, width = get_int(args, HEIGHT), get_int(args, BREADTH)
    mode, keep, x = get_int(args, MODE), get_int(args, KEEP), get_int(args, X)
    scale, shift = get_int(args, SCALE), get_int(args, SHIFT)
    skip, z = get_int(args, SKIP), get_int(args, Z)
    low = splat(get(get_int(args, LOW), 0))
    row = width * channels
    for i in range(first, stop):
        source = (n * height + i) * row
        to = target + 4 * (i - first) * breadth * channels
        if mode == COPY:
            copy_row(x + 4 * source, to, row)
            continue
        for c in range(0, channels, WIDTH):
            s, t = load(scale, c), load(shift, c)
            if mode == NORM_SKIP:
                of_skip, more = load(get_int(args, SKIP_SCALE), c), load(get_int(args, SKIP_SHIFT), c)
                for j in range(c, row, channels):
                    v = fma(load(skip, source + j), of_skip, more)
                    v = above(low, fma(load(x, source + j), s, t) + v)
                    store(to, j, v)
                    store(z, source + j, v)
            elif mode == NORM_SUBSAMPLED:
                step, pitch = get_int(args, STEP), get_int(args, SKIP_CHANNELS)
                k = (n * get_int(args, SKIP_HEIGHT) + i * step) * get_int(args, SKIP_BREADTH) * pitch
                k += c - get_int(args, BEFORE)
                inside = load(get_int(args, MASK), c)
                for j in range(c, row, channels):
                    # Lanes outside the mask may hold anything that lies in memory there.
                    more = where_above(inside, zero(), load(skip, k))
                    v = above(low, fma(load(x, source + j), s, t) + more)
                    store(to, j, v)
                    store(z, source + j, v)
                    k += step * pitch
            elif keep:
                for j in range(c, row, channels):
                    v = above(low, fma(load(x, source + j), s, t))
                    store(to, j, v)
                    store(z, source + j, v)
            else:
                for j in range(c, row, channels):
                    store(to, j, above(low, fma(load(x, source + j), s, t)))


@inline
def sources(args):
    """Where x, the shortcut added to it and the sum that is kept lie; x stands for what there is not."""
    mode, x = get_int(args, MODE), get_int(args, X)
    kept = mode >= NORM_SKIP or (mode == NORM and get_int(args, KEEP) != 0)
    return x, get_int(args, SKIP) if mode == NORM_SKIP else x, get_int(args, Z) if kept else x


@inline
def fetch_source(args, first, lines, end):
    """Prefetch what `load_picture` will read and write, some lines from x[first] on, not past `end`."""
    x, skip, z = sources(args)
    fetch_results(x, skip, z, first, lines, end)


@inline
def load_gradient(channels, args, n, target, breadth):
    """The gradient by the raw convolution of picture n, into `target`, whose rows are `breadth` pixels."""
    load_gradient_rows(channels, args, n, 0, get_int(args, OUT_HEIGHT), target, breadth)


@inline
def load_gradient_rows(channels, args, n, first, stop, target, breadth):
    """Rows first to stop of the gradient by the raw convolution of picture n."""
    height, width = get_int(args, OUT_HEIGHT), get_int(args, OUT_BREADTH)
    for i in range(first, stop):
        source, to = (n * height + i) * width * channels, target + 4 * (i - first) * breadth * channels
        for c in range(0, channels, WIDTH):
            load_gradient_column(channels, args, c, source + c, width, to + 4 * c, channels)


@inline
def load_gradient_column(channels, args, c, source, pixels, target, apart):
    """A vector of channels, from c on, of the gradient by the raw convolution; `pixels` from dy[source] on.

    AFFINE: a dy + b raw + c, which is what batch normalisation's backward step comes to when a, b and c
    are computed once a channel; MASKED: dy where the rectified output RAW is positive.
    """
    mode, dy, raw = get_int(args, GRADIENT_MODE), get_int(args, DY), get_int(args, RAW)
    if mode == AFFINE:
        a, b, d = load(get_int(args, A), c), load(get_int(args, B), c), load(get_int(args, C0), c)
        for i in range(pixels):
            at = source + i * channels
            store(target, i * apart, fma(a, load(dy, at), fma(b, load(raw, at), d)))
    elif mode == MASKED:
        for i in range(pixels):
            at = source + i * channels
            store(target, i * apart, where_above(load(raw, at), zero(), load(dy, at)))
    else:
        for i in range(pixels):
            store(target, i * apart, load(dy, source + i * channels))


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
