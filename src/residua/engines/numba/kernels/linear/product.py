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

from typing import NamedTuple

import numpy as np

from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.scalars import (
    get,
    part_of,
    put,
)
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store, transpose, zero
from residua.engines.numba.kernels.products.blocks import ROWS
from residua.engines.numba.kernels.products.one_row import COLUMNS, multiply_row
from residua.engines.numba.kernels.products.operands import Left, Result, Right, Size
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
def panel_product(a, b, c, width, inner):
    """ROWS rows of C, a panel wide. Both widths are constants: left as a number to be found out at run time,
    LLVM 20 takes the narrow one for impossible and makes an endless loop of it."""
    if width == PANEL:
        product(a, b, c, Size(ROWS, PANEL, 1, inner), 0)
    else:
        product(a, b, c, Size(ROWS, WIDTH, 1, inner), 0)


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


class Forward(NamedTuple):
    """What `forward` is given: `outputs` is a vector at least, `bias` 0 where there is none."""

    parts: int
    rows: int
    inputs: int
    outputs: int
    x: int
    weight: int
    bias: int
    y: int


class InputGradient(NamedTuple):
    """What `input_gradient` is given; inputs and outputs are a vector at least."""

    parts: int
    rows: int
    inputs: int
    outputs: int
    dy: int
    weight: int
    dx: int


class WeightGradient(NamedTuple):
    """What `weight_gradient` is given; `dbias` is 0 where there is none."""

    parts: int
    rows: int
    inputs: int
    outputs: int
    x: int
    dy: int
    dweight: int
    dbias: int


_forward, _input_gradient, _weight_gradient = map(reader, (Forward, InputGradient, WeightGradient))


@inline
def _forward_row(args, part, scratch):
    """`forward` of one row, the sums in the same order."""
    p = _forward(args)
    first, last = part_of((p.outputs + COLUMNS - 1) // COLUMNS, part, p.parts)
    for number in range(first, last):
        column = min(number * COLUMNS, p.outputs - COLUMNS)
        multiply_row(p.x, p.weight + 4 * column, p.outputs, scratch, p.inputs)
        for i in range(0, COLUMNS, WIDTH):
            v = load(scratch, i)
            if p.bias != 0:
                v = v + load(p.bias, column + i)
            store(p.y, column + i, v)


def forward(l0, l1, l2, l3, args, part, scratch):
    """y = x weight + bias."""
    p = _forward(args)
    if p.rows == 1 and p.outputs >= COLUMNS:
        _forward_row(args, part, scratch)
        return
    first, last = part_of((p.outputs + PANEL - 1) // PANEL, part, p.parts)
    block = scratch + 4 * ROWS * p.inputs
    for number in range(first, last):
        column, width = panel_of(number, p.outputs)
        for n in range(0, p.rows, ROWS):
            a = Left(rows_of(p.x, p.inputs, n, p.rows, p.inputs, scratch), p.inputs, 0, 1)
            b = Right(p.weight + 4 * column, 0, p.outputs)
            panel_product(a, b, Result(block, PANEL), width, p.inputs)
            for r in range(min(ROWS, p.rows - n)):
                for i in range(0, width, WIDTH):
                    v = load(block, r * PANEL + i)
                    if p.bias != 0:
                        v = v + load(p.bias, column + i)
                    store(p.y, (n + r) * p.outputs + column + i, v)


def input_gradient(l0, l1, l2, l3, args, part, scratch):
    """dx = dy weight^T."""
    p = _input_gradient(args)
    inputs, outputs = p.inputs, p.outputs
    first, last = part_of((inputs + PANEL - 1) // PANEL, part, p.parts)
    rows = scratch + 4 * PANEL * outputs
    block = rows + 4 * ROWS * outputs
    for number in range(first, last):
        column, width = panel_of(number, inputs)
        for i in range(0, width, WIDTH):
            for o in range(0, outputs, WIDTH):
                at = min(o, outputs - WIDTH)
                source = p.weight + 4 * ((column + i) * outputs + at)
                transpose(source, outputs, scratch + 4 * (at * PANEL + i), PANEL)
        for n in range(0, p.rows, ROWS):
            a = Left(rows_of(p.dy, outputs, n, p.rows, outputs, rows), outputs, 0, 1)
            panel_product(a, Right(scratch, 0, PANEL), Result(block, PANEL), width, outputs)
            for r in range(min(ROWS, p.rows - n)):
                for i in range(0, width, WIDTH):
                    store(p.dx, (n + r) * inputs + column + i, load(block, r * PANEL + i))


def weight_gradient(l0, l1, l2, l3, args, part, scratch):
    """dweight = x^T dy and dbias = the sum of dy."""
    p = _weight_gradient(args)
    inputs, outputs = p.inputs, p.outputs
    first, last = part_of((outputs + PANEL - 1) // PANEL, part, p.parts)
    for number in range(first, last):
        column, width = panel_of(number, outputs)
        b = p.dy + 4 * column
        for i in range(0, inputs, ROWS):
            at = min(i, inputs - ROWS)
            to = Result(p.dweight + 4 * (at * outputs + column), outputs)
            panel_product(Left(p.x + 4 * at, 1, 0, inputs), Right(b, 0, outputs), to, width, p.rows)
        if p.dbias != 0:
            for i in range(0, width, WIDTH):
                total = zero()
                for n in range(p.rows):
                    total = total + load(b, n * outputs + i)
                store(p.dbias, column + i, total)
