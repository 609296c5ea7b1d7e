"""Arrays made larger with zeros, or smaller: what a kernel is given has whole vectors."""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.pictures.load import copy_row
from residua.engines.numba.kernels.primitives.scalars import get_int, part_of, put
from residua.engines.numba.kernels.primitives.vector import WIDTH, store, zero


def fit(l0, l1, l2, l3, args, part, scratch):
    """target[i, j, k] = source[i, j, k] where there is one, else zero.

    Block: parts, matrices (i), their rows and columns in the source and in the target, source, target.
    """
    matrices = get_int(args, 1)
    rows, columns = get_int(args, 2), get_int(args, 3)
    high, wide = get_int(args, 4), get_int(args, 5)
    source, target = get_int(args, 6), get_int(args, 7)
    start, stop = part_of(matrices * high, part, get_int(args, 0))
    for row in range(start, stop):
        i, j = row // high, row % high
        to = target + 4 * row * wide
        found = min(columns, wide) if j < rows else 0
        copy_row(source + 4 * (i * rows + j) * columns, to, found)
        whole = wide - (wide - found) % WIDTH
        for k in range(found, whole, WIDTH):
            store(to, k, zero())
        for k in range(whole, wide):
            put(to, k, np.float32(0))
