"""Linear layers, softmax and its loss.

A linear layer's three products end in the same micro-kernel as convolutions. Every number of y is one sum in
the order of the inputs, whatever the batch: what comes of a picture does not depend on its neighbours.

    y       rows of x, eight at a time  x  the weight's columns
    dweight x transposed  x  dy, both read as they lie
    dx      dy  x  the weight transposed, a panel of it at a time

Weights come padded by zeros to a vector or to a panel of columns where they have fewer. With more, the last
panel overlaps the one before it: nothing is read or written beyond an array's end.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.primitives.scalars import (
    get,
    get_double,
    get_int,
    part_of,
    put,
    put_double,
    put_int,
)
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store, transpose, zero
from residua.engines.numba.kernels.products.micro_kernel import ROWS, product

PANEL = 2 * WIDTH


@inline
def panel_of(number, columns):
    """First column and width of a panel; the last one is moved back to end with the matrix."""
    first = number * PANEL
    left = columns - first
    if left > WIDTH:
        return min(first, columns - PANEL), np.int64(PANEL)
    return columns - WIDTH, np.int64(WIDTH)


@inline
def panel_product(a, am, ai, b, bi, c, cm, width, inner):
    """ROWS rows of C, a panel wide. Both widths are constants: left as a number to be found out at run time,
    LLVM 20 takes the narrow one for impossible and makes an endless loop of it."""
    if width == PANEL:
        product(a, am, 0, ai, b, 0, bi, c, cm, ROWS, PANEL, 1, inner, 0)
    else:
        product(a, am, 0, ai, b, 0, bi, c, cm, ROWS, WIDTH, 1, inner, 0)


@inline
def rows_of(x, step, n, count, width, target):
    """ROWS rows of x from row n on: where they lie, copied with zeros beyond the last."""
    if count - n >= ROWS:
        return x + 4 * n * step
    for r in range(ROWS):
        for i in range(width):
            value = np.float32(0)
            if n + r < count:
                value = get(x, (n + r) * step + i)
            put(target, r * step + i, value)
    return target


def linear(l0, l1, l2, l3, args, part, scratch):
    """y = x weight + bias. Block: parts, rows, inputs, outputs (>= WIDTH), x, weight, bias or 0, y."""
    parts, count, inputs, outputs = get_int(args, 0), get_int(args, 1), get_int(args, 2), get_int(args, 3)
    x, weight, bias, y = get_int(args, 4), get_int(args, 5), get_int(args, 6), get_int(args, 7)
    first, last = part_of((outputs + PANEL - 1) // PANEL, part, parts)
    block = scratch + 4 * ROWS * inputs
    for number in range(first, last):
        column, width = panel_of(number, outputs)
        for n in range(0, count, ROWS):
            a = rows_of(x, inputs, n, count, inputs, scratch)
            b = weight + 4 * column
            panel_product(a, inputs, 1, b, outputs, block, PANEL, width, inputs)
            for r in range(min(ROWS, count - n)):
                for i in range(0, width, WIDTH):
                    v = load(block, r * PANEL + i)
                    if bias != 0:
                        v = v + load(bias, column + i)
                    store(y, (n + r) * outputs + column + i, v)


def linear_inputs(l0, l1, l2, l3, args, part, scratch):
    """dx = dy weight^T. Block: parts, rows, inputs, outputs, dy, weight, dx; inputs and outputs >= WIDTH."""
    parts, count, inputs, outputs = get_int(args, 0), get_int(args, 1), get_int(args, 2), get_int(args, 3)
    dy, weight, dx = get_int(args, 4), get_int(args, 5), get_int(args, 6)
    first, last = part_of((inputs + PANEL - 1) // PANEL, part, parts)
    rows = scratch + 4 * PANEL * outputs
    block = rows + 4 * ROWS * outputs
    for number in range(first, last):
        column, width = panel_of(number, inputs)
        for i in range(0, width, WIDTH):
            for o in range(0, outputs, WIDTH):
                at = min(o, outputs - WIDTH)
                source = weight + 4 * ((column + i) * outputs + at)
                transpose(source, outputs, scratch + 4 * (at * PANEL + i), PANEL)
        for n in range(0, count, ROWS):
            a = rows_of(dy, outputs, n, count, outputs, rows)
            panel_product(a, outputs, 1, scratch, PANEL, block, PANEL, width, outputs)
            for r in range(min(ROWS, count - n)):
                for i in range(0, width, WIDTH):
                    store(dx, (n + r) * inputs + column + i, load(block, r * PANEL + i))


def linear_weights(l0, l1, l2, l3, args, part, scratch):
    """dweight = x^T dy and dbias = the sum of dy. Block as above: ..., x, dy, dweight, dbias or 0."""
    parts, count, inputs, outputs = get_int(args, 0), get_int(args, 1), get_int(args, 2), get_int(args, 3)
    x, dy, dweight, dbias = get_int(args, 4), get_int(args, 5), get_int(args, 6), get_int(args, 7)
    first, last = part_of((outputs + PANEL - 1) // PANEL, part, parts)
    for number in range(first, last):
        column, width = panel_of(number, outputs)
        b = dy + 4 * column
        for i in range(0, inputs, ROWS):
            at = min(i, inputs - ROWS)
            to = dweight + 4 * (at * outputs + column)
            panel_product(x + 4 * at, 1, inputs, b, outputs, to, outputs, width, count)
        if dbias != 0:
            for i in range(0, width, WIDTH):
                total = zero()
                for n in range(count):
                    total = total + load(b, n * outputs + i)
                store(dbias, column + i, total)


@inline
def softmax_of(logits, row, classes, target):
    """e^(logit - largest) of one row into `target`: the largest logit and the sum."""
    most = get(logits, row)
    for k in range(1, classes):
        value = get(logits, row + k)
        # A NaN is kept.
        if value > most or value != value:
            most = value
    total = np.float32(0)
    for k in range(classes):
        value = np.exp(get(logits, row + k) - most)
        put(target, k, value)
        total += value
    return most, total


def softmax(l0, l1, l2, l3, args, part, scratch):
    """Probabilities. Block: parts, rows, classes, logits, probabilities."""
    parts, count, classes = get_int(args, 0), get_int(args, 1), get_int(args, 2)
    logits, out = get_int(args, 3), get_int(args, 4)
    start, stop = part_of(count, part, parts)
    for n in range(start, stop):
        row = n * classes
        _, total = softmax_of(logits, row, classes, out + 4 * row)
        for k in range(classes):
            put(out, row + k, get(out, row + k) / total)


def cross_entropy(l0, l1, l2, l3, args, part, scratch):
    """dlogits, and every picture's loss as a double.

    Block: parts, rows, classes, logits, labels (int64), weights or 0, dlogits, losses; double: smoothing.
    """
    parts, count, classes = get_int(args, 0), get_int(args, 1), get_int(args, 2)
    logits, labels, weights = get_int(args, 3), get_int(args, 4), get_int(args, 5)
    dlogits, losses, smoothing = get_int(args, 6), get_int(args, 7), np.float32(get_double(args, 8))
    share = smoothing / np.float32(classes)
    start, stop = part_of(count, part, parts)
    for n in range(start, stop):
        row, label = n * classes, get_int(labels, n)
        most, total = softmax_of(logits, row, classes, dlogits + 4 * row)
        log_total = np.log(total)
        weight = np.float32(1)
        if weights != 0:
            weight = get(weights, n)
        loss = 0.0
        for k in range(classes):
            target = share + (np.float32(1) - smoothing if k == label else np.float32(0))
            # 0 times an infinite logarithm would be no number.
            if target != 0:
                loss -= np.float64(target) * np.float64(get(logits, row + k) - most - log_total)
            slope = get(dlogits, row + k) / total - target
            put(dlogits, row + k, slope / np.float32(count) * weight)
        put_double(losses, n, loss * np.float64(weight))


def conclude(l0, l1, l2, l3, args, part, scratch):
    """The mean of doubles. Block: 1, how many, doubles, result."""
    doubles, total = get_int(args, 2), 0.0
    count = get_int(args, 1)
    for i in range(count):
        total += get_double(doubles, i)
    put(get_int(args, 3), 0, np.float32(total / count))


def count_correct(l0, l1, l2, l3, args, part, scratch):
    """How many rows have their first largest number at their label.

    Block: 1, rows, classes, logits, labels (int64), count (int64).
    """
    count, classes = get_int(args, 1), get_int(args, 2)
    logits, labels, right = get_int(args, 3), get_int(args, 4), 0
    for n in range(count):
        best, place = get(logits, n * classes), 0
        for k in range(1, classes):
            value = get(logits, n * classes + k)
            # What is no number counts as the largest, as NumPy has it.
            if best == best and (value > best or value != value):
                best, place = value, k
        right += place == get_int(labels, n)
    put_int(get_int(args, 5), 0, right)
