"""The optimisers' steps, averages and multiples of all variables."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from residua.engines.numba.kernels.primitives.scalars import get_double, get_int
from residua.engines.numba.kernels.primitives.vector import WIDTH, fma, inline, load, root, splat, store
from residua.engines.numba.kernels.updates.table import (
    COUNT,
    DECAY,
    FIRST,
    RATE,
    STARTS,
    load_tail,
    row_of,
    store_tail,
)

# Options of `update`.
SGD, ADAM, RMSPROP, MIX, SCALE = range(5)


class Numbers(NamedTuple):
    """What the rules reckon with, as float32: the rate, four numbers of the rule's own, the decay that is
    added to the gradient, and the share of a weight that is kept."""

    rate: float
    n0: float
    n1: float
    n2: float
    n3: float
    decay: float
    keep: float


class Inputs(NamedTuple):
    """Where the arrays that are read lie; of no meaning where a rule has fewer."""

    a0: int
    a1: int
    a2: int
    a3: int


class Outputs(NamedTuple):
    """Where the arrays that are written lie; of no meaning where a rule has fewer."""

    b0: int
    b1: int
    b2: int


@inline
def change(rule, p, inputs, outputs, i):
    """One vector of every input, one of every output."""
    x = load(inputs.a0, i)
    if rule == MIX:
        store(outputs.b0, i, fma(splat(p.rate), load(inputs.a1, i) - x, x))
    elif rule == SCALE:
        store(outputs.b0, i, splat(p.rate) * x)
    elif rule == SGD:
        g = fma(splat(p.decay), x, load(inputs.a2, i))
        v = fma(splat(p.n0), load(inputs.a1, i), g)
        store(outputs.b1, i, v)
        if p.n1 != 0:
            v = fma(splat(p.n0), v, g)
        store(outputs.b0, i, fma(splat(-p.rate), v, splat(p.keep) * x))
    elif rule == ADAM:
        g = fma(splat(p.decay), x, load(inputs.a3, i))
        first, second = load(inputs.a1, i), load(inputs.a2, i)
        first = fma(splat(p.n0), g - first, first)
        second = fma(splat(p.n1), g * g - second, second)
        store(outputs.b1, i, first)
        store(outputs.b2, i, second)
        below = fma(root(second), splat(p.n3), splat(p.n2))
        store(outputs.b0, i, splat(p.keep) * x - splat(p.rate) * first / below)
    else:
        g = fma(splat(p.decay), x, load(inputs.a3, i))
        square = fma(splat(p.n0), load(inputs.a1, i), splat(np.float32(1) - p.n0) * g * g)
        v = fma(splat(p.n1), load(inputs.a2, i), g / (root(square) + splat(p.n2)))
        store(outputs.b1, i, square)
        store(outputs.b2, i, v)
        store(outputs.b0, i, splat(p.keep) * x - splat(p.rate) * v)


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
        numbers = Numbers(step, f0, f1, f2, f3, added, keep)
        a = Inputs(
            get_int(row, FIRST), get_int(row, FIRST + 1), get_int(row, FIRST + 2), get_int(row, FIRST + 3)
        )
        out = row + 8 * (FIRST + inputs)
        b = Outputs(get_int(out, 0), get_int(out, 1), get_int(out, 2))
        whole = count - count % WIDTH
        for j in range(0, whole, WIDTH):
            change(rule, numbers, a, b, j)
        if whole < count:
            line = 4 * WIDTH
            s = Inputs(scratch, scratch + line, scratch + 2 * line, scratch + 3 * line)
            t = Outputs(scratch + 4 * line, scratch + 5 * line, scratch + 6 * line)
            load_tail(a.a0, whole, count, s.a0)
            if inputs > 1:
                load_tail(a.a1, whole, count, s.a1)
            if inputs > 2:
                load_tail(a.a2, whole, count, s.a2)
            if inputs > 3:
                load_tail(a.a3, whole, count, s.a3)
            change(rule, numbers, s, t, 0)
            store_tail(t.b0, b.b0, whole, count)
            if outputs > 1:
                store_tail(t.b1, b.b1, whole, count)
            if outputs > 2:
                store_tail(t.b2, b.b2, whole, count)
