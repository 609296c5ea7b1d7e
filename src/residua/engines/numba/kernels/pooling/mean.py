"""The mean of whole pictures, channel by channel: one sum in the order of the pixels, then a division."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.scalars import get, part_of, put
from residua.engines.numba.kernels.primitives.vector import WIDTH, load, store

BLOCK = 4 * WIDTH  # channels that are a share of their own


class Mean(NamedTuple):
    """What `mean` is given; channels are padded, in x and in y."""

    parts: int
    batch: int
    pixels: int
    channels: int
    x: int
    y: int


_mean = reader(Mean)


def mean(l0, l1, l2, l3, args, part, scratch):
    """y[n] = the mean of x[n] over its pixels."""
    p = _mean(args)
    channels = p.channels
    blocks = (channels + BLOCK - 1) // BLOCK
    start, stop = part_of(p.batch * blocks, part, p.parts)
    for number in range(start, stop):
        n, first = number // blocks, number % blocks * BLOCK
        last = min(channels, first + BLOCK)
        x, y = p.x + 4 * n * p.pixels * channels, p.y + 4 * n * channels
        for c in range(first, last, WIDTH):
            total = load(x, c)
            for i in range(1, p.pixels):
                total = total + load(x, i * channels + c)
            store(y, c, total)
        for c in range(first, last):
            put(y, c, get(y, c) / np.float32(p.pixels))
