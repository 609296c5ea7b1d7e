"""Pictures on their way into a convolution and gradients on their way out, finished as they pass.

Batch normalisation, ReLU and the sum with a shortcut never make a pass over memory of their own: they are
bound by memory there, and cost as much as a convolution. They ride on passes that a convolution makes
anyway, between the batch in main memory and one picture in a scratch in the second-level cache:

    load_picture    scratch = relu?(x scale + shift + skip), with a border of zeros; keeps z where asked;
                    a skip may have a scale and a shift of its own; without a skip, also a smooth activation
    load_gradient   scratch = the gradient by the raw convolution, from the one by its finished output
    store_gradient  dx from the scratch + the shortcut's gradient, zero where ReLU was, and the sums that
                    the batch normalisation in front of it needs
    store_output    y from the scratch, with bias and ReLU, or with the sums for batch normalisation

Layout: (pictures, rows, columns, channels), channels side by side, a multiple of WIDTH (the engine pads
with zeros; a convolution's input alone may have any number). One vector is WIDTH channels of one pixel.
"""

from __future__ import annotations

from residua.engines.numba.kernels.pictures.arguments import (
    ACTIVATION,
    AFFINE,
    COPY,
    MASKED,
    NORM,
    NORM_SKIP,
    NORM_SUBSAMPLED,
    SKIP_SCALE,
    SKIP_SHIFT,
    Frame,
    Rows,
    geometry,
    gradient_source,
    inside,
    source_of,
    subsampling,
)
from residua.engines.numba.kernels.primitives.calls import call_row
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
def load_picture(channels, args, n, frame):
    """Picture n of x, finished, into a frame, behind its border."""
    g = geometry(args)
    load_rows(channels, args, Rows(n, 0, g.height), inside(frame, channels, g.padding))


@inline
def load_span(channels, args, n, begin, end, frame):
    """Of picture n behind its border, as `load_picture` has it, the rows from `begin` to `end`."""
    g = geometry(args)
    first, stop = max(0, begin - g.padding), min(g.height, end - g.padding)
    to = inside(frame, channels, g.padding).address + 4 * first * frame.width * channels
    load_rows(channels, args, Rows(n, first, stop), Frame(to, frame.width))


@inline
def load_rows(channels, args, rows, frame):
    """Rows of x, finished, into a frame."""
    g, s = geometry(args), source_of(args)
    low = splat(get(s.low, 0))
    row = g.width * channels
    for i in range(rows.first, rows.stop):
        source = (rows.picture * g.height + i) * row
        to = frame.address + 4 * (i - rows.first) * frame.width * channels
        if s.mode == COPY:
            copy_row(s.x + 4 * source, to, row)
            continue
        activation = get_int(args, ACTIVATION)
        if activation != 0:
            kept = s.z + 4 * source if s.keep else 0
            call_row(get_int(activation, 0), s.x + 4 * source, s.scale, s.shift, channels, to, row, kept)
            continue
        for c in range(0, channels, WIDTH):
            scale, shift = load(s.scale, c), load(s.shift, c)
            if s.mode == NORM_SKIP:
                of_skip, summand = load(get_int(args, SKIP_SCALE), c), load(get_int(args, SKIP_SHIFT), c)
                for j in range(c, row, channels):
                    v = fma(load(s.skip, source + j), of_skip, summand)
                    v = above(low, fma(load(s.x, source + j), scale, shift) + v)
                    store(to, j, v)
                    store(s.z, source + j, v)
            elif s.mode == NORM_SUBSAMPLED:
                sub = subsampling(args)
                k = (rows.picture * sub.height + i * sub.step) * sub.width * sub.channels
                k += c - sub.before
                mask = load(sub.mask, c)
                for j in range(c, row, channels):
                    # Lanes outside the mask may hold anything that lies in memory there.
                    summand = where_above(mask, zero(), load(s.skip, k))
                    v = above(low, fma(load(s.x, source + j), scale, shift) + summand)
                    store(to, j, v)
                    store(s.z, source + j, v)
                    k += sub.step * sub.channels
            elif s.keep:
                for j in range(c, row, channels):
                    v = above(low, fma(load(s.x, source + j), scale, shift))
                    store(to, j, v)
                    store(s.z, source + j, v)
            else:
                for j in range(c, row, channels):
                    store(to, j, above(low, fma(load(s.x, source + j), scale, shift)))


@inline
def sources(args):
    """Where x, the shortcut added to it and the sum that is kept lie; x stands for what there is not."""
    s = source_of(args)
    stored = s.mode >= NORM_SKIP or (s.mode == NORM and s.keep != 0)
    return s.x, s.skip if s.mode == NORM_SKIP else s.x, s.z if stored else s.x


@inline
def fetch_source(args, first, lines, end):
    """Prefetch what `load_picture` will read and write, some lines from x[first] on, not past `end`."""
    x, skip, z = sources(args)
    fetch_results(x, skip, z, first, lines, end)


@inline
def load_gradient(channels, args, n, frame):
    """The gradient by the raw convolution of picture n, into a frame."""
    load_gradient_rows(channels, args, Rows(n, 0, geometry(args).out_height), frame)


@inline
def load_gradient_rows(channels, args, rows, frame):
    """Rows of the gradient by the raw convolution, into a frame."""
    g = geometry(args)
    for i in range(rows.first, rows.stop):
        source = (rows.picture * g.out_height + i) * g.out_width * channels
        to = frame.address + 4 * (i - rows.first) * frame.width * channels
        for c in range(0, channels, WIDTH):
            load_gradient_column(channels, args, c, source + c, g.out_width, to + 4 * c, channels)


@inline
def load_gradient_column(channels, args, c, source, pixels, target, apart):
    """A vector of channels, from c on, of the gradient by the raw convolution; `pixels` from dy[source] on.

    AFFINE: a dy + b raw + c0, which is what batch normalisation's backward step comes to when a, b and c0
    are computed once a channel; MASKED: dy where the rectified output RAW is positive.
    """
    s = gradient_source(args)
    if s.mode == AFFINE:
        a, b, c0 = load(s.a, c), load(s.b, c), load(s.c0, c)
        for i in range(pixels):
            at = source + i * channels
            store(target, i * apart, fma(a, load(s.dy, at), fma(b, load(s.raw, at), c0)))
    elif s.mode == MASKED:
        for i in range(pixels):
            at = source + i * channels
            store(target, i * apart, where_above(load(s.raw, at), zero(), load(s.dy, at)))
    else:
        for i in range(pixels):
            store(target, i * apart, load(s.dy, source + i * channels))
