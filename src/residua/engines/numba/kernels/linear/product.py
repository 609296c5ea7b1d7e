"""Linear layers: products of features and weights.

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
    get_int,
    part_of,
    put,
)
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store, transpose, zero
from residua.engines.numba.kernels.products.blocks import ROWS
from residua.engines.numba.kernels.products.product import product

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


def forward(l0, l1, l2, l3, args, part, scratch):
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


def input_gradient(l0, l1, l2, l3, args, part, scratch):
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


def weight_gradient(l0, l1, l2, l3, args, part, scratch):
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
