"""Arrays made larger with zeros, or smaller: what a kernel is given has whole vectors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from residua.engines.numba.kernels.pictures.load import copy_row
from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.scalars import part_of, put
from residua.engines.numba.kernels.primitives.vector import WIDTH, store, zero


class Fit(NamedTuple):
    """What `fit` is given: how many matrices, their size in the source and in the target."""

    parts: int
    matrices: int
    rows: int
    columns: int
    high: int
    wide: int
    source: int
    target: int


_fit = reader(Fit)


def fit(l0, l1, l2, l3, args, part, scratch):
    """target[i, j, k] = source[i, j, k] where there is one, else zero."""
    p = _fit(args)
    rows, columns, high, wide = p.rows, p.columns, p.high, p.wide
    start, stop = part_of(p.matrices * high, part, p.parts)
    for row in range(start, stop):
        i, j = row // high, row % high
        to = p.target + 4 * row * wide
        count = min(columns, wide) if j < rows else 0
        copy_row(p.source + 4 * (i * rows + j) * columns, to, count)
        whole = wide - (wide - count) % WIDTH
        for k in range(count, whole, WIDTH):
            store(to, k, zero())
        for k in range(whole, wide):
            put(to, k, np.float32(0))
