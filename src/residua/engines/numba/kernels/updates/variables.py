"""All arrays of a network in one kernel: the optimisers' steps, averages, and sums over everything.

The arrays are cut into pieces of at most some ten thousand numbers; a table holds one row a piece. Parts
are runs of rows, so the work is divided by its size and not by how many arrays there are.

Block: parts, rows, where the table begins, columns of it; four doubles or addresses of doubles by kernel;
then the first row of every part, and one more. A row: how many numbers, the decay (a double), then the
addresses of the inputs, then of the outputs.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.primitives.scalars import get, get_double, get_int, put, put_double
from residua.engines.numba.kernels.primitives.vector import WIDTH, fma, inline, load, root, splat, store, zero

PARTS, ROWS, TABLE, COLUMNS, RATE, NUMBERS, STARTS = 0, 1, 2, 3, 4, 5, 10
COUNT, DECAY, FIRST = 0, 1, 2
FLUSH = 64 * WIDTH  # numbers whose squares are summed in float32


@inline
def row_of(args, i):
    """The address of row i."""
    return args + 8 * (get_int(args, TABLE) + get_int(args, COLUMNS) * i)


@inline
def gather(a, first, count, target):
    """The last numbers of a, fewer than a vector, and zeros beyond them."""
    store(target, 0, zero())
    for i in range(first, count):
        put(target, i - first, get(a, i))


@inline
def scatter(source, a, first, count):
    """Back to where they came from."""
    for i in range(first, count):
        put(a, i, get(source, i - first))


# Options of `sweep`.
SGD, ADAM, RMSPROP, MIX, SCALE = range(5)


@inline
def change(rule, rate, n0, n1, n2, n3, decay, keep, a0, a1, a2, a3, b0, b1, b2, i):
    """One vector of every input, one of every output."""
    x = load(a0, i)
    if rule == MIX:
        store(b0, i, fma(splat(rate), load(a1, i) - x, x))
    elif rule == SCALE:
        store(b0, i, splat(rate) * x)
    elif rule == SGD:
        g = fma(splat(decay), x, load(a2, i))
        v = fma(splat(n0), load(a1, i), g)
        store(b1, i, v)
        if n1 != 0:
            v = fma(splat(n0), v, g)
        store(b0, i, fma(splat(-rate), v, splat(keep) * x))
    elif rule == ADAM:
        g = fma(splat(decay), x, load(a3, i))
        first, second = load(a1, i), load(a2, i)
        first = fma(splat(n0), g - first, first)
        second = fma(splat(n1), g * g - second, second)
        store(b1, i, first)
        store(b2, i, second)
        below = fma(root(second), splat(n3), splat(n2))
        store(b0, i, splat(keep) * x - splat(rate) * first / below)
    else:
        g = fma(splat(decay), x, load(a3, i))
        square = fma(splat(n0), load(a1, i), splat(np.float32(1) - n0) * g * g)
        v = fma(splat(n1), load(a2, i), g / (root(square) + splat(n2)))
        store(b1, i, square)
        store(b2, i, v)
        store(b0, i, splat(keep) * x - splat(rate) * v)


def sweep(rule, inputs, outputs, decoupled, args, part, scratch):
    """Every row of this part by the rule.

    RATE is the address of the rate. NUMBERS: SGD: momentum, 1 for Nesterov's; ADAM: beta1, beta2, eps, the
    address of the count of steps (int64); RMSPROP: alpha, momentum, eps.
    """
    rule, inputs, outputs = np.int64(rule), np.int64(inputs), np.int64(outputs)
    full = get_double(get_int(args, RATE), 0)
    n0, n1, n2, n3 = get_double(args, 5), get_double(args, 6), get_double(args, 7), 0.0
    rate = full
    if rule == ADAM:
        count = np.float64(get_int(get_int(args, 8), 0))
        rate = full / (1.0 - n0**count)
        n3 = 1.0 / np.sqrt(1.0 - n1**count)
        n0, n1 = 1.0 - n0, 1.0 - n1
    step = np.float32(rate)
    f0, f1, f2, f3 = np.float32(n0), np.float32(n1), np.float32(n2), np.float32(n3)
    for i in range(get_int(args, STARTS + part), get_int(args, STARTS + part + 1)):
        row = row_of(args, i)
        count, decay = get_int(row, COUNT), get_double(row, DECAY)
        keep = np.float32(1.0 - full * decay) if decoupled != 0 else np.float32(1)
        added = np.float32(0) if decoupled != 0 else np.float32(decay)
        a0, a1 = get_int(row, FIRST), get_int(row, FIRST + 1)
        a2, a3 = get_int(row, FIRST + 2), get_int(row, FIRST + 3)
        out = row + 8 * (FIRST + inputs)
        b0, b1, b2 = get_int(out, 0), get_int(out, 1), get_int(out, 2)
        whole = count - count % WIDTH
        for j in range(0, whole, WIDTH):
            change(rule, step, f0, f1, f2, f3, added, keep, a0, a1, a2, a3, b0, b1, b2, j)
        if whole < count:
            s = scratch
            line = 4 * WIDTH
            gather(a0, whole, count, s)
            if inputs > 1:
                gather(a1, whole, count, s + line)
            if inputs > 2:
                gather(a2, whole, count, s + 2 * line)
            if inputs > 3:
                gather(a3, whole, count, s + 3 * line)
            t = s + 4 * line
            change(
                rule, step, f0, f1, f2, f3, added, keep, s, s + line, s + 2 * line, s + 3 * line,
                t, t + line, t + 2 * line, 0,
            )  # fmt: skip
            scatter(t, b0, whole, count)
            if outputs > 1:
                scatter(t + line, b1, whole, count)
            if outputs > 2:
                scatter(t + 2 * line, b2, whole, count)


SQUARES, ZEROS = range(2)


def fold(what, l1, l2, l3, args, part, scratch):
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
                gather(a, whole, end, scratch)
                x = load(scratch, 0)
                if what == SQUARES:
                    one = fma(x, x, one)
                else:
                    one = fma(x, two, one)
            store(scratch, 0, one)
            for lane in range(WIDTH):
                total += np.float64(get(scratch, lane))
        put_double(results, i, total)


def conclude(what, l1, l2, l3, args, part, scratch):
    """The root of the sum of doubles; or 1 if it is zero, 0 if not. Block: 1, how many, doubles, result."""
    what = np.int64(what)
    doubles, total = get_int(args, 2), 0.0
    for i in range(get_int(args, 1)):
        total += get_double(doubles, i)
    result = np.float32(np.sqrt(total)) if what == SQUARES else np.float32(total == 0.0)
    put(get_int(args, 3), 0, result)
