"""The parts' gradients by a weight, added up."""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.scalars import get, part_of, put
from residua.engines.numba.kernels.primitives.vector import WIDTH, load, store
from residua.engines.numba.kernels.products.blocks import rounded


class SumParts(NamedTuple):
    """What `sum_parts` is given: c and k padded, as they are summed up, and those of the weight; how many
    partial sums there are."""

    parts: int
    kernel: int
    wide_c: int
    wide_k: int
    c: int
    k: int
    partial: int
    dweight: int
    summed: int


_sums = reader(SumParts)


def sum_parts(l0, l1, l2, l3, args, part, scratch):
    """dweight[kernel, kernel, c, k] = the sum of the parts' gradients, without padding."""
    p = _sums(args)
    kernel, wide_c, wide_k, c, k = p.kernel, p.wide_c, p.wide_k, p.c, p.k
    partial, dweight = p.partial, p.dweight
    taps = rounded(kernel * wide_c)
    start, stop = part_of(kernel * kernel * c, part, p.parts)
    for row in range(start, stop):
        u, v, i = row // (kernel * c), row // c % kernel, row % c
        source = (u * taps + v * wide_c + i) * wide_k
        for o in range(0, wide_k, WIDTH):
            total = load(partial, source + o)
            for other in range(1, p.summed):
                total = total + load(partial, other * kernel * taps * wide_k + source + o)
            if o + WIDTH <= k:
                store(dweight, row * k + o, total)
            else:
                store(scratch, 0, total)
                for j in range(o, k):
                    put(dweight, row * k + j, get(scratch, j - o))
