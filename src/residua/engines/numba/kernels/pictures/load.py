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
"""

from __future__ import annotations

from residua.engines.numba.kernels.pictures.arguments import (
    AFFINE,
    BEFORE,
    BREADTH,
    C0,
    COPY,
    DY,
    GRADIENT_MODE,
    HEIGHT,
    KEEP,
    LOW,
    MASK,
    MASKED,
    MODE,
    NORM,
    NORM_SKIP,
    NORM_SUBSAMPLED,
    OUT_BREADTH,
    OUT_HEIGHT,
    PADDING,
    RAW,
    SCALE,
    SHIFT,
    SKIP,
    SKIP_BREADTH,
    SKIP_CHANNELS,
    SKIP_HEIGHT,
    SKIP_SCALE,
    SKIP_SHIFT,
    STEP,
    A,
    B,
    X,
    Z,
)
from residua.engines.numba.kernels.primitives.prefetch import fetch_results
from residua.engines.numba.kernels.primitives.scalars import get, get_int, put
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
