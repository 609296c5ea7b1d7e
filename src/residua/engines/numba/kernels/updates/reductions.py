"""Sums over all arrays: the norm, and whether every number is finite."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.scalars import get, get_double, get_int, put, put_double
from residua.engines.numba.kernels.primitives.vector import WIDTH, fma, load, store, zero
from residua.engines.numba.kernels.updates.table import COUNT, FIRST, RATE, STARTS, load_tail, row_of

FLUSH = 64 * WIDTH  # numbers whose squares are summed in float32
SQUARES, ZEROS = range(2)


def reduce_pieces(what, l1, l2, l3, args, part, scratch):
    """For every row one double at RATE: the sum of squares; or of zeros, which is NaN if one number is not
    finite."""
    what = np.int64(what)
    results = get_int(args, RATE)
    for i in range(get_int(args, STARTS + part), get_int(args, STARTS + part + 1)):
        row = row_of(args, i)
        count, a = get_int(row, COUNT), get_int(row, FIRST)
        total = 0.0
        for first in range(0, count, FLUSH):
            end = min(first + FLUSH, count)
            whole = end - (end - first) % WIDTH
            one, two = zero(), zero()
            for j in range(first, whole, WIDTH):
                x = load(a, j)
                if what == SQUARES:
                    one = fma(x, x, one)
                else:
                    one = fma(x, two, one)
            if whole < end:
                load_tail(a, whole, end, scratch)
                x = load(scratch, 0)
                if what == SQUARES:
                    one = fma(x, x, one)
                else:
                    one = fma(x, two, one)
            store(scratch, 0, one)
            for lane in range(WIDTH):
                total += np.float64(get(scratch, lane))
        put_double(results, i, total)


class Combine(NamedTuple):
    """What `combine` is given: how many doubles, and where they and the result lie."""

    parts: int
    numbers: int
    doubles: int
    result: int


_combine = reader(Combine)


def combine(what, l1, l2, l3, args, part, scratch):
    """The root of the sum of doubles; or 1 if it is zero, 0 if not."""
    what = np.int64(what)
    p, total = _combine(args), 0.0
    for i in range(p.numbers):
        total += get_double(p.doubles, i)
    result = np.float32(np.sqrt(total)) if what == SQUARES else np.float32(total == 0.0)
    put(p.result, 0, result)
