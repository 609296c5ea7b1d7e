"""Linear layers: products of features and weights.

A linear layer's three products end in the same micro-kernel as convolutions. Every number of y is one sum in
the order of the inputs, whatever the batch: what comes of a picture does not depend on its neighbours.

    y       rows of x, eight at a time  x  the weight's columns, of few rows (`few_rows`) or a few at a time
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
    clear,
    get,
    part_of,
    put,
)
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store, transpose, zero
from residua.engines.numba.kernels.products.blocks import ROWS
from residua.engines.numba.kernels.products.few_rows import FEW, multiply_few, rows_at_once
from residua.engines.numba.kernels.products.operands import Left, Result, Right, Size
from residua.engines.numba.kernels.products.product import product

PANEL = 2 * WIDTH
TALL = 128  # rows of x at a time
SHALLOW = 128  # rows of the weight at a time


@inline
def panel_of(number, columns):
    """First column and width of a panel; the last one is moved back to end with the matrix."""
    first = number * PANEL
    left = columns - first
    if left > WIDTH:
        return min(first, columns - PANEL), np.int64(PANEL)
    return columns - WIDTH, np.int64(WIDTH)


@inline
def panel_product(a, b, c, width, inner, accumulate):
    """ROWS rows of C, a panel wide, added to what is there if it is to `accumulate`.

    Both widths are constants: left as a number to be found out at run time, LLVM 20 takes the narrow one for
    impossible and makes an endless loop of it.
    """
    if width == PANEL:
        product(a, b, c, Size(ROWS, PANEL, 1, inner), accumulate)
    else:
        product(a, b, c, Size(ROWS, WIDTH, 1, inner), accumulate)


@inline
def rows_of(x, width, n, count, rows, target):
    """So many rows of x from row n on: where they lie, copied with zeros beyond the last."""
    if count - n >= rows:
        return x + 4 * n * width
    for r in range(rows):
        for i in range(width):
            value = np.float32(0)
            if n + r < count:
                value = get(x, (n + r) * width + i)
            put(target, r * width + i, value)
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


def forward_scratch(rows: int, inputs: int, outputs: int, parts: int) -> int:
    """Floats of scratch that `forward` needs: rows of x that are padded, and a part's columns of y."""
    columns = (-(-outputs // PANEL) // parts + 2) * PANEL
    return max(ROWS, FEW) * inputs + columns * (TALL if rows > FEW else FEW)


_forward, _input_gradient, _weight_gradient = map(reader, (Forward, InputGradient, WeightGradient))


@inline
def _forward_few(args, part, scratch):
    """`forward` of a few rows, sums in the same order; a part reads a piece of each row of the weight."""
    p = _forward(args)
    first, last = part_of((p.outputs + WIDTH - 1) // WIDTH, part, p.parts)
    begin, end = first * WIDTH, min(last * WIDTH, p.outputs)
    # The last vector of all is moved back to end with the matrix: what it shares with the one before it is
    # computed twice, each time in a place of its own.
    whole = (end - begin) // WIDTH * WIDTH
    x, apart = rows_of(p.x, p.inputs, 0, p.rows, rows_at_once(p.rows), scratch), whole + WIDTH
    y = scratch + 4 * FEW * p.inputs
    clear(y, FEW * apart)
    multiply_few(x, p.rows, p.inputs, p.weight + 4 * begin, p.outputs, y, apart, whole)
    if whole < end - begin:
        at = p.weight + 4 * (end - WIDTH)
        multiply_few(x, p.rows, p.inputs, at, p.outputs, y + 4 * whole, apart, WIDTH)
    for n in range(p.rows):
        for i in range(0, end - begin, WIDTH):
            column = min(begin + i, end - WIDTH)
            v = load(y, n * apart + i)
            if p.bias != 0:
                v = v + load(p.bias, column)
            store(p.y, n * p.outputs + column, v)


def forward(l0, l1, l2, l3, args, part, scratch):
    """y = x weight + bias."""
    p = _forward(args)
    if p.rows <= FEW:
        _forward_few(args, part, scratch)
        return
    first, last = part_of((p.outputs + PANEL - 1) // PANEL, part, p.parts)
    rest = scratch + 4 * ROWS * p.inputs
    for top in range(0, p.rows, TALL):
        bottom = min(p.rows, top + TALL)
        # A few rows of the weight at a time, in pieces that lie side by side: memory sets the pace.
        for depth in range(0, p.inputs, SHALLOW):
            steps = min(SHALLOW, p.inputs - depth)
            for number in range(first, last):
                column, width = panel_of(number, p.outputs)
                b = Right(p.weight + 4 * (depth * p.outputs + column), 0, p.outputs)
                to = rest + 4 * (number - first) * TALL * PANEL
                for n in range(top, bottom, ROWS):
                    x = p.x + 4 * n * p.inputs
                    if p.rows - n < ROWS:
                        x = scratch
                        if depth == 0 and number == first:
                            rows_of(p.x, p.inputs, n, p.rows, ROWS, scratch)
                    a, block = Left(x + 4 * depth, p.inputs, 0, 1), Result(to + 4 * (n - top) * PANEL, PANEL)
                    panel_product(a, b, block, width, steps, depth)
        for number in range(first, last):
            column, width = panel_of(number, p.outputs)
            block = rest + 4 * (number - first) * TALL * PANEL
            for n in range(top, bottom):
                for i in range(0, width, WIDTH):
                    v = load(block, (n - top) * PANEL + i)
                    if p.bias != 0:
                        v = v + load(p.bias, column + i)
                    store(p.y, n * p.outputs + column + i, v)


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
            a = Left(rows_of(p.dy, outputs, n, p.rows, ROWS, rows), outputs, 0, 1)
            panel_product(a, Right(scratch, 0, PANEL), Result(block, PANEL), width, outputs, 0)
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
            panel_product(Left(p.x + 4 * at, 1, 0, inputs), Right(b, 0, outputs), to, width, p.rows, 0)
        if p.dbias != 0:
            for i in range(0, width, WIDTH):
                total = zero()
                for n in range(p.rows):
                    total = total + load(b, n * outputs + i)
                store(p.dbias, column + i, total)
