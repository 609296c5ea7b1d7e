"""What every capsule expects of every capsule above: a matrix of its own for each, and the way back.

y[n, j, i]       = x[n, i] weight[i, :, j]                       (below i, above j)
dx[n, i]         = the sum over j of weight[i, :, j] dy[n, j, i]
dweight[i, :, j] = the sum over n of x[n, i] dy[n, j, i]
"""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.capsules.sums import sums_of_rows
from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.scalars import clear, get, part_of, put
from residua.engines.numba.kernels.primitives.vector import (
    WIDTH,
    fma,
    load,
    splat,
    store,
    zero,
)


class Prediction(NamedTuple):
    """What the kernels are given: x [batch, below, inside], weight [below, inside, above, out], y or dy
    [batch, above, below, out], and where a gradient goes. `out` is a multiple of WIDTH."""

    parts: int
    batch: int
    below: int
    inside: int
    above: int
    out: int
    x: int
    weight: int
    y: int
    result: int


_prediction = reader(Prediction)
TOGETHER = 16  # capsules below at a time


def scratch_floats(inside: int, out: int) -> int:
    """Floats of scratch that any of the kernels needs."""
    return max(2 * WIDTH * WIDTH, TOGETHER * inside * out)


def predict(l0, l1, l2, l3, args, part, scratch):
    """y of this part's pictures."""
    p = _prediction(args)
    below, inside, above, out, x, y = p.below, p.inside, p.above, p.out, p.x, p.y
    start, stop = part_of(p.batch, part, p.parts)
    row = above * out
    for first in range(0, below, TOGETHER):
        # Their matrices stay in the second-level cache for all of the part's pictures.
        for n in range(start, stop):
            for j in range(above):
                for i in range(first, min(first + TOGETHER, below)):
                    matrix, numbers = p.weight + 4 * (i * inside * row + j * out), (n * below + i) * inside
                    to = ((n * above + j) * below + i) * out
                    for e in range(0, out, WIDTH):
                        v = zero()
                        for d in range(inside):
                            v = fma(splat(get(x, numbers + d)), load(matrix, d * row + e), v)
                        store(y, to + e, v)


def predict_backward(l0, l1, l2, l3, args, part, scratch):
    """dx of this part's pictures."""
    p = _prediction(args)
    below, inside, above, out, dy = p.below, p.inside, p.above, p.out, p.y
    rows = scratch
    start, stop = part_of(p.batch, part, p.parts)
    row, count = above * out, below * inside
    for begin in range(0, count, TOGETHER * inside):
        end = min(begin + TOGETHER * inside, count)
        for n in range(start, stop):
            # As many numbers at a time as a vector holds: their products are turned round to be summed.
            for first in range(begin, end, WIDTH):
                last = min(WIDTH, end - first)
                if last < WIDTH:
                    clear(rows, WIDTH * WIDTH)
                for q in range(last):
                    i, d = (first + q) // inside, (first + q) % inside
                    matrix, v = p.weight + 4 * (i * inside + d) * row, zero()
                    for j in range(above):
                        at = ((n * above + j) * below + i) * out
                        for e in range(0, out, WIDTH):
                            v = fma(load(dy, at + e), load(matrix, j * out + e), v)
                    store(rows, q * WIDTH, v)
                total = sums_of_rows(rows)
                if last == WIDTH:
                    store(p.result, n * count + first, total)
                else:
                    store(rows, 0, total)
                    for q in range(last):
                        put(p.result, n * count + first + q, get(rows, q))


def predict_weights_backward(l0, l1, l2, l3, args, part, scratch):
    """dweight of this part's capsules below."""
    p = _prediction(args)
    below, inside, above, out, x, dy, dweight = p.below, p.inside, p.above, p.out, p.x, p.y, p.result
    start, stop = part_of(below, part, p.parts)
    row = above * out
    for first in range(start, stop, TOGETHER):
        last = min(first + TOGETHER, stop)
        for j in range(above):
            # Side by side they stay in the first-level cache; where they go they are far apart.
            clear(scratch, (last - first) * inside * out)
            for n in range(p.batch):
                source = dy + 4 * ((n * above + j) * below + first) * out
                numbers = x + 4 * (n * below + first) * inside
                for i in range(last - first):
                    for e in range(0, out, WIDTH):
                        v, to = load(source, i * out + e), scratch + 4 * (i * inside * out + e)
                        for d in range(inside):
                            number = splat(get(numbers, i * inside + d))
                            store(to, d * out, fma(number, v, load(to, d * out)))
            for q in range((last - first) * inside):
                for e in range(0, out, WIDTH):
                    store(dweight, (first * inside + q) * row + j * out + e, load(scratch, q * out + e))
