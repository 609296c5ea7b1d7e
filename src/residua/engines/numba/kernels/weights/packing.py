"""Weights packed as the other convolutions read them: turned round by phases, or in panels."""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.direct.phases import taps_before, taps_in_phase
from residua.engines.numba.kernels.primitives.scalars import get, get_int, part_of, put
from residua.engines.numba.kernels.primitives.vector import WIDTH, load, store, transpose
from residua.engines.numba.kernels.products.blocks import WIDE


def pack_backward(l0, l1, l2, l3, args, part, scratch):
    """weight[u, v, c, k] -> phases of [taps down, turned round][taps right, turned round][k][c].

    Block: parts, kernel, stride, c, k (of the weight), c, k (padded), weight, packed.
    """
    parts, kernel, stride = get_int(args, 0), get_int(args, 1), get_int(args, 2)
    c, k, wide_c, wide_k = get_int(args, 3), get_int(args, 4), get_int(args, 5), get_int(args, 6)
    weight, packed = get_int(args, 7), get_int(args, 8)
    start, stop = part_of(wide_k, part, parts)
    for u in range(kernel):
        down, high = u % stride, taps_in_phase(kernel, stride, u % stride)
        for v in range(kernel):
            right, wide = v % stride, taps_in_phase(kernel, stride, v % stride)
            place = taps_before(kernel, stride, down, right)
            place += (high - 1 - u // stride) * wide + wide - 1 - v // stride
            source, target = (u * kernel + v) * c * k, place * wide_k * wide_c
            if c == wide_c and k == wide_k and (stop - start) % WIDTH == 0:
                for o in range(start, stop, WIDTH):
                    for i in range(0, c, WIDTH):
                        at = packed + 4 * (target + o * c + i)
                        transpose(weight + 4 * (source + i * k + o), k, at, c)
                continue
            for o in range(start, stop):
                for i in range(wide_c):
                    number = get(weight, source + i * k + o) if i < c and o < k else np.float32(0)
                    put(packed, target + o * wide_c + i, number)


def pack_panels(l0, l1, l2, l3, args, part, scratch):
    """weight[window, k] -> [panels of k][window][WIDE], or turned round [panels of window][k][WIDE].

    Block: parts, window (kernel kernel c), k, weight, packed, whether turned round.
    """
    parts, window, k = get_int(args, 0), get_int(args, 1), get_int(args, 2)
    weight, packed, turned = get_int(args, 3), get_int(args, 4), get_int(args, 5)
    long = window if turned else k
    start, stop = part_of((long + WIDE - 1) // WIDE, part, parts)
    for panel in range(start * WIDE, min(stop * WIDE, long), WIDE):
        columns = min(WIDE, long - panel)
        if turned:
            to = packed + 4 * panel * k
            for o in range(0, k, WIDTH):
                for j in range(0, columns, WIDTH):
                    transpose(weight + 4 * ((panel + j) * k + o), k, to + 4 * (o * columns + j), columns)
        else:
            to = packed + 4 * panel * window
            for i in range(window):
                for j in range(0, columns, WIDTH):
                    store(to, i * columns + j, load(weight, i * k + panel + j))
