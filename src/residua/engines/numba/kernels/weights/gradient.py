"""The parts' gradients by a weight, added up."""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.scalars import get, get_int, part_of, put
from residua.engines.numba.kernels.primitives.vector import WIDTH, load, store
from residua.engines.numba.kernels.products.blocks import rounded


def sum_parts(l0, l1, l2, l3, args, part, scratch):
    """dweight[kernel, kernel, c, k] = the sum of the parts' gradients, without padding.

    Block: parts, kernel, c, k (padded, as summed up), c, k (of the weight), partial sums, gradient, and how
    many partial sums there are.
    """
    parts, kernel = get_int(args, 0), get_int(args, 1)
    wide_c, wide_k, c, k = get_int(args, 2), get_int(args, 3), get_int(args, 4), get_int(args, 5)
    partial, dweight, summed = get_int(args, 6), get_int(args, 7), get_int(args, 8)
    taps = rounded(kernel * wide_c)
    start, stop = part_of(kernel * kernel * c, part, parts)
    for row in range(start, stop):
        u, v, i = row // (kernel * c), row // c % kernel, row % c
        source = (u * taps + v * wide_c + i) * wide_k
        for o in range(0, wide_k, WIDTH):
            total = load(partial, source + o)
            for other in range(1, summed):
                total = total + load(partial, other * kernel * taps * wide_k + source + o)
            if o + WIDTH <= k:
                store(dweight, row * k + o, total)
            else:
                store(scratch, 0, total)
                for j in range(o, k):
                    put(dweight, row * k + j, get(scratch, j - o))
