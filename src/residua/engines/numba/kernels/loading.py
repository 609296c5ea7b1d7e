"""Pixels on their way into a network: bytes become normalised floats, cut out and mirrored, in one pass."""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from residua.engines.numba.kernels.scalars import get, get_int, put
from residua.engines.numba.kernels.vector import VECTOR, WIDTH, inline, load, store, vector

BYTES = ir.VectorType(ir.IntType(8), WIDTH)


@intrinsic
def load_bytes(typing, a, i):
    """The WIDTH unsigned bytes from a[i] on, as floats."""

    def emit(context, builder, sig, args):
        place = builder.gep(builder.inttoptr(args[0], ir.IntType(8).as_pointer()), [args[1]])
        number = builder.load(builder.bitcast(place, BYTES.as_pointer()))
        number.align = 1
        return builder.uitofp(number, VECTOR)

    return vector(types.int64, types.int64), emit


@intrinsic
def get_byte(typing, a, i):
    """The unsigned byte a[i], as a float."""

    def emit(context, builder, sig, args):
        place = builder.gep(builder.inttoptr(args[0], ir.IntType(8).as_pointer()), [args[1]])
        return builder.uitofp(builder.load(place), ir.FloatType())

    return types.float32(types.int64, types.int64), emit


@inline
def clear_numbers(a, first, stop):
    """a[first : stop] = 0."""
    for i in range(first, stop):
        put(a, i, np.float32(0))


def crop_and_flip(pixels, places, out, scale, shift, count, h, w, channels, height, width):
    """out[n] = the window of a picture, times scale plus shift; places[n] = (picture, down, right, mirrored).

    pixels: (pictures, h, w, channels) bytes; out: (count, height, width, channels) floats; scale and shift: a
    row of w pixels of floats. Product and sum are rounded each, as NumPy does it.
    """
    row, long = w * channels, width * channels
    for n in range(count):
        picture, mirrored = get_int(places, 4 * n), get_int(places, 4 * n + 3)
        down, right = get_int(places, 4 * n + 1), get_int(places, 4 * n + 2)
        left, stop = max(0, -right), min(width, w - right)
        for i in range(height):
            to = out + 4 * (n * height + i) * long
            y = i + down
            if y < 0 or y >= h or left >= stop:
                clear_numbers(to, 0, long)
                continue
            source = pixels + (picture * h + y) * row + (left + right) * channels
            some = (stop - left) * channels
            if mirrored == 0:
                clear_numbers(to, 0, left * channels)
                clear_numbers(to, stop * channels, long)
                to += 4 * left * channels
                whole = some - some % WIDTH
                for k in range(0, whole, WIDTH):
                    store(to, k, load_bytes(source, k) * load(scale, k) + load(shift, k))
                for k in range(whole, some):
                    put(to, k, get_byte(source, k) * get(scale, k) + get(shift, k))
                continue
            clear_numbers(to, 0, (width - stop) * channels)
            clear_numbers(to, (width - left) * channels, long)
            to += 4 * (width - 1 - left) * channels
            for j in range(0, some, channels):
                for k in range(channels):
                    put(to, k - j, get_byte(source, j + k) * get(scale, k) + get(shift, k))
