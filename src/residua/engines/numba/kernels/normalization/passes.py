"""Passes over pictures that no convolution takes over: normalising, masking, sums per channel."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from residua.engines.numba.kernels.primitives.arguments import Double, reader
from residua.engines.numba.kernels.primitives.scalars import (
    clear,
    flush,
    get,
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


class Normalize(NamedTuple):
    """What `normalize` is given: channels padded, then addresses; 0 for no skip and for no mean."""

    parts: int
    batch: int
    pixels: int
    channels: int
    raw: int
    scale: int
    shift: int
    low: int
    skip: int
    z: int
    mean: int


class MaskGradient(NamedTuple):
    """What `mask_gradient` is given. spread: whether dy has one row a picture; z and g may be 0."""

    parts: int
    batch: int
    pixels: int
    channels: int
    dy: int
    spread: int
    z: int
    raw: int
    mean: int
    g: int
    sums: int
    factor: Double


class Moments(NamedTuple):
    """What `moments` is given; `origin` is one number a channel, as near to the others as can be."""

    parts: int
    batch: int
    pixels: int
    channels: int
    x: int
    origin: int
    sums: int


class Affine(NamedTuple):
    """What `affine` is given: all pixels of all pictures."""

    parts: int
    pixels: int
    channels: int
    g: int
    raw: int
    a: int
    b: int
    c0: int
    out: int


class ChannelSums(NamedTuple):
    """What `channel_sums` is given; z may be 0."""

    parts: int
    batch: int
    pixels: int
    channels: int
    dy: int
    z: int
    sums: int


class Add(NamedTuple):
    """What `add` is given."""

    parts: int
    vectors: int
    a: int
    b: int
    out: int


_normalize, _mask, _sums, _add = map(reader, (Normalize, MaskGradient, ChannelSums, Add))
_moments, _affine = map(reader, (Moments, Affine))


def normalize(l0, l1, l2, l3, args, part, scratch):
    """z = relu?(raw scale + shift [+ skip]); with `mean` also its mean over each picture."""
    p = _normalize(args)
    pixels, channels, low = p.pixels, p.channels, splat(get(p.low, 0))
    share = splat(np.float32(1) / np.float32(pixels))
    start, stop = part_of(p.batch, part, p.parts)
    row = pixels * channels
    for n in range(start, stop):
        clear(scratch, channels)
        for begin in range(n * row, n * row + row, FEW * channels):
            end = min(begin + FEW * channels, n * row + row)
            for c in range(0, channels, WIDTH):
                s, t, total = load(p.scale, c), load(p.shift, c), load(scratch, c)
                for i in range(begin + c, end, channels):
                    v = fma(load(p.raw, i), s, t)
                    if p.skip != 0:
                        v = v + load(p.skip, i)
                    v = above(low, v)
                    store(p.z, i, v)
                    total = total + v
                store(scratch, c, total)
        if p.mean != 0:
            for c in range(0, channels, WIDTH):
                store(p.mean, n * channels + c, load(scratch, c) * share)


def mask_gradient(l0, l1, l2, l3, args, part, scratch):
    """g = dy where z > 0, and the sums of g and g (raw - mean)."""
    p = _mask(args)
    pixels, channels, factor = p.pixels, p.channels, splat(np.float32(p.factor))
    start, stop = part_of(p.batch, part, p.parts)
    row = pixels * channels
    clear(scratch, 2 * channels)
    totals = p.sums + 16 * channels * part
    for n in range(start, stop):
        for begin in range(n * row, n * row + row, FEW * channels):
            end = min(begin + FEW * channels, n * row + row)
            for c in range(0, channels, WIDTH):
                total, product, m = load(scratch, c), load(scratch, channels + c), load(p.mean, c)
                v = zero()
                if p.spread != 0:
                    v = load(p.dy, n * channels + c) * factor
                for i in range(begin + c, end, channels):
                    if p.spread == 0:
                        v = load(p.dy, i) * factor
                    w = v
                    if p.z != 0:
                        w = where_above(load(p.z, i), zero(), v)
                    if p.g != 0:
                        store(p.g, i, w)
                    total = total + w
                    product = fma(w, load(p.raw, i) - m, product)
                store(scratch, c, total)
                store(scratch, channels + c, product)
        flush(2 * channels, scratch, totals, n == start)


def channel_sums(l0, l1, l2, l3, args, part, scratch):
    """The sums of dy over all pixels, where z > 0, as doubles."""
    p = _sums(args)
    pixels, channels = p.pixels, p.channels
    start, stop = part_of(p.batch, part, p.parts)
    row = pixels * channels
    clear(scratch, channels)
    for n in range(start, stop):
        for c in range(0, channels, WIDTH):
            total = load(scratch, c)
            for i in range(n * row + c, n * row + row, channels):
                v = load(p.dy, i)
                if p.z != 0:
                    v = where_above(load(p.z, i), zero(), v)
                total = total + v
            store(scratch, c, total)
        flush(channels, scratch, p.sums + 8 * channels * part, n == start)


def add(l0, l1, l2, l3, args, part, scratch):
    """out = a + b."""
    p = _add(args)
    start, stop = part_of(p.vectors, part, p.parts)
    for i in range(start * WIDTH, stop * WIDTH, WIDTH):
        store(p.out, i, load(p.a, i) + load(p.b, i))


def moments(l0, l1, l2, l3, args, part, scratch):
    """The sums of x - origin and of its squares, as doubles: far from zero, those of x would cancel."""
    p = _moments(args)
    pixels, channels = p.pixels, p.channels
    start, stop = part_of(p.batch, part, p.parts)
    row = pixels * channels
    clear(scratch, 2 * channels)
    for n in range(start, stop):
        for begin in range(n * row, n * row + row, FEW * channels):
            end = min(begin + FEW * channels, n * row + row)
            for c in range(0, channels, WIDTH):
                total, square, o = load(scratch, c), load(scratch, channels + c), load(p.origin, c)
                for i in range(begin + c, end, channels):
                    v = load(p.x, i) - o
                    total = total + v
                    square = fma(v, v, square)
                store(scratch, c, total)
                store(scratch, channels + c, square)
        flush(2 * channels, scratch, p.sums + 16 * channels * part, n == start)


def affine(l0, l1, l2, l3, args, part, scratch):
    """out = a g + b raw + c0: a normalisation's way back, where no convolution reads it."""
    p = _affine(args)
    start, stop = part_of(p.pixels, part, p.parts)
    for first in range(start, stop, FEW):
        begin, end = first * p.channels, min(first + FEW, stop) * p.channels
        for c in range(0, p.channels, WIDTH):
            a, b, c0 = load(p.a, c), load(p.b, c), load(p.c0, c)
            for i in range(begin + c, end, p.channels):
                store(p.out, i, fma(a, load(p.g, i), fma(b, load(p.raw, i), c0)))
