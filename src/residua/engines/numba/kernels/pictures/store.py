"""Gradients and outputs on their way out of a convolution, finished as they pass."""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.pictures.arguments import (
    BIAS,
    DERIVATIVE,
    LOW,
    OUT_LOW,
    PLAIN,
    SUMMED_SKIP,
    SUMMED_SUBSAMPLED,
    X_SCALE,
    X_SHIFT,
    Y_PIXEL,
    Y_SKIP,
    Rows,
    Y,
    geometry,
    gradient_target,
    inside,
    subsampling,
)
from residua.engines.numba.kernels.primitives.calls import call_row
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
def store_gradient(channels, args, n, dx, picture, sums):
    """Picture n's dx from the frame `dx`, with x inside the frame `picture` as the mask; adds to `sums`."""
    g = geometry(args)
    x = inside(picture, channels, g.padding)
    store_gradient_rows(channels, args, Rows(n, 0, g.height), dx, x, sums)


@inline
def store_gradient_rows(channels, args, rows, dx, picture, sums):
    """Rows of dx from the frame `dx`, with x from the frame `picture` as the mask; adds to `sums`."""
    g, target = geometry(args), gradient_target(args)
    low = splat(get(get_int(args, LOW), 0))
    row, derivative = g.width * channels, get_int(args, DERIVATIVE)
    added = target.mode == SUMMED_SKIP and derivative == 0
    for i in range(rows.first, rows.stop):
        to = (rows.picture * g.height + i) * row
        d = dx.address + 4 * (i - rows.first) * dx.width * channels
        x = picture.address + 4 * (i - rows.first) * picture.width * channels
        if target.mode == PLAIN:
            for j in range(0, row, WIDTH):
                store(target.dx, to + j, load(d, j))
            continue
        sub = subsampling(args)
        if target.mode == SUMMED_SUBSAMPLED and i % sub.step == 0:
            start = (rows.picture * sub.height + i // sub.step) * sub.width * sub.channels
            for c in range(0, channels, WIDTH):
                mask = load(sub.mask, c)
                k = start + sub.before + c
                for j in range(c, row, sub.step * channels):
                    store(d, j, load(d, j) + where_above(mask, zero(), load(target.skip, k)))
                    k += sub.channels
        if derivative != 0:
            skip = target.skip + 4 * to if target.mode == SUMMED_SKIP else 0
            scale, shift = get_int(args, X_SCALE), get_int(args, X_SHIFT)
            # Nothing is masked below: as LOW is minus infinity, any finite number may stand for x.
            x = target.raw + 4 * to
            call_row(get_int(derivative, 0), x, scale, shift, channels, d, row, skip)
        for c in range(0, channels, WIDTH):
            total, product = load(sums, c), load(sums, channels + c)
            mean = load(target.mean, c)
            # Two pixels a turn, with sums of their own: one chain of additions would wait for each.
            other, last = zero(), row - channels
            for j in range(c, last, 2 * channels):
                k = j + channels
                v, w = load(d, j), load(d, k)
                if added:
                    v, w = v + load(target.skip, to + j), w + load(target.skip, to + k)
                v, w = where_above(load(x, j), low, v), where_above(load(x, k), low, w)
                store(target.dx, to + j, v)
                store(target.dx, to + k, w)
                total = total + (v + w)
                product = fma(v, load(target.raw, to + j) - mean, product)
                other = fma(w, load(target.raw, to + k) - mean, other)
            if g.width % 2 == 1:
                j = last + c
                v = load(d, j)
                if added:
                    v = v + load(target.skip, to + j)
                v = where_above(load(x, j), low, v)
                store(target.dx, to + j, v)
                total = total + v
                product = fma(v, load(target.raw, to + j) - mean, product)
            product = product + other
            store(sums, c, total)
            store(sums, channels + c, product)


class Region(NamedTuple):
    """What is finished of a picture: rows, columns and channels, each from the first to before the last."""

    top: int
    bottom: int
    left: int
    right: int
    first: int
    last: int


@inline
def store_finished(args, n, frame, apart, region):
    """A region of picture n of y from a frame, with bias, ReLU by the lower bound and what is added.

    apart: how many floats the frame's pixels are apart.
    """
    g, y, skip, pixel = geometry(args), get_int(args, Y), get_int(args, Y_SKIP), get_int(args, Y_PIXEL)
    for i in range(region.top, region.bottom):
        row = (n * g.out_height + i) * g.out_width * pixel
        for c in range(region.first, region.last, WIDTH):
            bias, low = load(get_int(args, BIAS), c), load(get_int(args, OUT_LOW), c)
            for j in range(region.left, region.right):
                to = row + j * pixel + c
                v = above(low, load(frame.address, (i * frame.width + j) * apart + c) + bias)
                if skip != 0:
                    v = above(zero(), v + load(skip, to))
                store(y, to, v)


@inline
def store_output(channels, args, n, frame, statistics, sums):
    """Picture n of y from a frame, with the sums of y and its squares, or finished."""
    g, y, source = geometry(args), get_int(args, Y), frame.address
    height, width, breadth = g.out_height, g.out_width, frame.width
    row = width * channels
    if not statistics:
        store_finished(args, n, frame, channels, Region(0, height, 0, width, 0, channels))
        return
    for c in range(0, channels, WIDTH):
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
