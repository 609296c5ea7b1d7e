"""Tiles of output on their way out: at the picture's edge, and added to what lies beside them."""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.primitives.vector import (
    WIDTH,
    above,
    fma,
    inline,
    load,
    store,
    zero,
)


class Inside(NamedTuple):
    """How many pixels wide a tile is, how many rows and columns of it lie inside the picture, and how many
    bytes of y come before it."""

    size: int
    rows: int
    columns: int
    offset: int


class Finish(NamedTuple):
    """What becomes of outputs: sums to add them to; or a bias, a lower bound, and what is added, or 0."""

    sums: int
    bias: int
    low: int
    added: int


class Columns(NamedTuple):
    """Channels from the first to the last, of k; pixels of y are `pixel` floats apart."""

    first: int
    last: int
    k: int
    pixel: int


@inline
def add_skip(columns, k, size, y, skip, row):
    """ReLU of so many channels, of k, of a tile of y, `size` pixels wide, plus what lies there."""
    for i in range(size):
        for pixel in range(size):
            for j in range(0, columns, WIDTH):
                at = i * row + pixel * k + j
                store(y, at, above(zero(), load(y, at) + load(skip, at)))


@inline
def store_edge(columns, statistics, edge, target, part, finish):
    """The pixels of a tile that lie inside the picture, their columns into the frame `target`."""
    sums, k = finish.sums, columns.k
    for c in range(columns.first, columns.last, WIDTH):
        total, square = load(sums, c), load(sums, k + c)
        for i in range(part.rows):
            for j in range(part.columns):
                v = load(edge, (part.size * i + j) * k + c)
                if statistics:
                    total = total + v
                    square = fma(v, v, square)
                else:
                    v = above(load(finish.low, c), v + load(finish.bias, c))
                    if finish.added != 0:
                        skip = load(finish.added + part.offset, (i * target.width + j) * columns.pixel + c)
                        v = above(zero(), v + skip)
                store(target.address, (i * target.width + j) * columns.pixel + c, v)
        store(sums, c, total)
        store(sums, k + c, square)
