"""The optimisers' steps, averages and multiples of all variables."""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.primitives.scalars import get_double, get_int
from residua.engines.numba.kernels.primitives.vector import WIDTH, fma, inline, load, root, splat, store
from residua.engines.numba.kernels.updates.table import (
    COUNT,
    DECAY,
    FIRST,
    RATE,
    STARTS,
    gather,
    row_of,
    scatter,
)

# Options of `update`.
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


def update(rule, inputs, outputs, decoupled, args, part, scratch):
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
