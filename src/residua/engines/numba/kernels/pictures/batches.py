"""Pixels on their way into a network: bytes become normalised floats, cut out and mirrored, in one pass."""

from __future__ import annotations

import numpy as np
from llvmlite import ir

from residua.engines.numba.kernels.primitives.entries import entry
from residua.engines.numba.kernels.primitives.on_demand import intrinsic, types
from residua.engines.numba.kernels.primitives.prefetch import fetch
from residua.engines.numba.kernels.primitives.scalars import get, get_int, put
from residua.engines.numba.kernels.primitives.vector import VECTOR, WIDTH, inline, load, store, zero

BYTE = ir.IntType(8)
BYTES = ir.VectorType(BYTE, WIDTH)
BLOCK_BYTES = 16  # bytes that are turned at once: any processor's shuffle of bytes takes so many
FETCHED = 64  # cache lines of the next picture that are asked for


@intrinsic
def load_bytes(typing, a, i):
    """The WIDTH unsigned bytes from a[i] on, as floats."""

    def emit(context, builder, sig, args):
        pointer = builder.gep(builder.inttoptr(args[0], ir.IntType(8).as_pointer()), [args[1]])
        number = builder.load(builder.bitcast(pointer, BYTES.as_pointer()))
        number.align = 1
        return builder.uitofp(number, VECTOR)

    return types.vector(types.int64, types.int64), emit


@intrinsic
def get_byte(typing, a, i):
    """The unsigned byte a[i], as a float."""

    def emit(context, builder, sig, args):
        pointer = builder.gep(builder.inttoptr(args[0], ir.IntType(8).as_pointer()), [args[1]])
        return builder.uitofp(builder.load(pointer), ir.FloatType())

    return types.float32(types.int64, types.int64), emit


@intrinsic
def put_byte(typing, a, i, b, j):
    """a[i] = b[j], of bytes."""

    def emit(context, builder, sig, args):
        to, source = (
            builder.gep(builder.inttoptr(args[k], BYTE.as_pointer()), [args[k + 1]]) for k in (0, 2)
        )
        builder.store(builder.load(source), to)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64), emit


@intrinsic
def mirror_block(typing, a, i, b, j, channels):
    """The whole pixels of b[j : j + TURNED] in the opposite order, at the end of a[i : i + TURNED].

    channels is a literal. Bytes that no whole pixel is left for come first, of no meaning.
    """
    if not isinstance(channels, types.Literal):
        return None
    c = channels.literal_value
    count = BLOCK_BYTES // c
    order = [BLOCK_BYTES - 1] * (BLOCK_BYTES - count * c)
    order += [pixel * c + k for pixel in reversed(range(count)) for k in range(c)]

    def emit(context, builder, sig, args):
        block = ir.VectorType(BYTE, BLOCK_BYTES)
        to, source = (
            builder.bitcast(
                builder.gep(builder.inttoptr(args[k], BYTE.as_pointer()), [args[k + 1]]), block.as_pointer()
            )
            for k in (0, 2)
        )
        pixels = builder.load(source)
        pixels.align = 1
        mask = ir.Constant(ir.VectorType(ir.IntType(32), BLOCK_BYTES), order)
        builder.store(builder.shuffle_vector(pixels, pixels, mask), to).align = 1
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64, types.int64, channels), emit


@inline
def mirror_pixels(to, source, first, count, channels):
    """to[count - 1 - j] = source[j] for the pixels from `first` to `count`."""
    for j in range(first, count):
        for k in range(channels):
            put_byte(to, (count - 1 - j) * channels + k, source, j * channels + k)


@inline
def mirror_row(to, source, count, channels):
    """to = the `count` pixels of source in the opposite order. Reads and writes nothing beyond them.

    From the front, so that what is of no meaning before a block is written over by the next.
    """
    j = 0
    if channels == 3:
        while 3 * j + BLOCK_BYTES <= 3 * count:
            mirror_block(to, 3 * (count - j) - BLOCK_BYTES, source, 3 * j, 3)
            j += BLOCK_BYTES // 3
    elif channels == 1:
        while j + BLOCK_BYTES <= count:
            mirror_block(to, count - j - BLOCK_BYTES, source, j, 1)
            j += BLOCK_BYTES
    mirror_pixels(to, source, j, count, channels)


@inline
def clear_numbers(a, first, stop):
    """a[first : stop] = 0."""
    whole = stop - (stop - first) % WIDTH
    for i in range(first, whole, WIDTH):
        store(a, i, zero())
    for i in range(whole, stop):
        put(a, i, np.float32(0))


@inline
def normalise(to, source, scale, shift, count):
    """to[0 : count] = source scale + shift, from bytes. The last vector overlaps the one before it."""
    if count < WIDTH:
        for k in range(count):
            put(to, k, get_byte(source, k) * get(scale, k) + get(shift, k))
        return
    for k in range(0, count - WIDTH, WIDTH):
        store(to, k, load_bytes(source, k) * load(scale, k) + load(shift, k))
    k = count - WIDTH
    store(to, k, load_bytes(source, k) * load(scale, k) + load(shift, k))


@entry
def crop_and_flip(pixels, windows, out, scale, shift, buffer, count, h, w, channels, height, width):
    """out[n] = the window of a picture, times scale plus shift; places[n] = (picture, down, right, mirrored).

    pixels: (pictures, h, w, channels) bytes; out: (count, height, width, channels) floats; scale and shift: a
    row of w pixels of floats; turned: (height, width, channels) bytes to work with. Product and sum are
    rounded each, as NumPy does it.
    """
    row, long = w * channels, width * channels
    for n in range(count):
        if n + 1 < count:
            # Pictures lie anywhere in memory, so a processor cannot foresee the next one by itself.
            fetch(pixels + get_int(windows, 4 * n + 4) * h * row, 0, FETCHED, h * row // 4)
        picture, mirrored = get_int(windows, 4 * n), get_int(windows, 4 * n + 3)
        down, right = get_int(windows, 4 * n + 1), get_int(windows, 4 * n + 2)
        # What of the window lies inside the picture: its rows and columns.
        top, bottom = max(0, min(height, -down)), max(0, min(height, h - down))
        left, stop = max(0, min(width, -right)), max(0, min(width, w - right))
        if top >= bottom or left >= stop:
            clear_numbers(out + 4 * n * height * long, 0, height * long)
            continue
        numbers = (stop - left) * channels
        source, step = pixels + (picture * h + top + down) * row + (left + right) * channels, row
        if mirrored != 0:
            # All rows before the first is read: a processor waits for what it has only just stored.
            for i in range(bottom - top):
                mirror_row(buffer + i * numbers, source + i * step, stop - left, channels)
            source, step = buffer, numbers
            left, stop = width - stop, width - left
        to = out + 4 * n * height * long
        clear_numbers(to, 0, top * long)
        for i in range(top, bottom):
            line = to + 4 * i * long
            clear_numbers(line, 0, left * channels)
            normalise(line + 4 * left * channels, source + (i - top) * step, scale, shift, numbers)
            clear_numbers(line, stop * channels, long)
        clear_numbers(to, bottom * long, height * long)
