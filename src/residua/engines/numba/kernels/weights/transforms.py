"""Weights on their way into the convolutions, and their gradients on the way out.

Each is a kernel of its own, cut into parts along the channels. Every block of arguments begins with the
number of parts.
"""

from __future__ import annotations

import numpy as np

from residua.engines.numba.kernels.direct.convolution import rounded, taps_before, taps_in_phase
from residua.engines.numba.kernels.primitives.scalars import get, get_int, part_of, put
from residua.engines.numba.kernels.primitives.vector import WIDTH, load, store, transpose
from residua.engines.numba.kernels.products.micro_kernel import WIDE
from residua.engines.numba.kernels.winograd.tiles import places_to_weight, weight_to_places


def transform_weight(l0, l1, l2, l3, args, part, scratch):
    """U[36, c, k] = G weight[3, 3, c, k] G^T, for this part's share of c.

    Block: parts, c, k, weight, U, copy or 0, stride, how far U's places are apart, and how many columns lie
    in a panel of their own (see `winograd_large`; k where all lie in rows). Where there is a copy, U belongs
    to it, and is made anew only if the weight is no longer equal: comparing costs a tenth of transforming.
    """
    parts, c, k = get_int(args, 0), get_int(args, 1), get_int(args, 2)
    weight, u, copy, stride = get_int(args, 3), get_int(args, 4), get_int(args, 5), get_int(args, 6)
    gap, panel = get_int(args, 7), get_int(args, 8)
    start, stop = part_of(c, part, parts)
    if copy != 0:
        changed = 0
        for tap in range(9):
            for i in range((tap * c + start) * k, (tap * c + stop) * k):
                changed |= get(weight, i) != get(copy, i)
        if changed == 0:
            return
        for tap in range(9):
            for i in range((tap * c + start) * k, (tap * c + stop) * k, WIDTH):
                store(copy, i, load(weight, i))
    for first in range(0, k, panel):
        for i in range(start, stop):
            for o in range(first, first + panel, WIDTH):
                to = u + 4 * (first * c + i * panel + o - first)
                weight_to_places(stride, weight + 4 * (i * k + o), c * k, to, gap)


def transform_transposed(l0, l1, l2, l3, args, part, scratch):
    """U^T[36, k, c] = G weight[3, 3, c, k] G^T with c and k exchanged, for this part's share of k.

    Block: parts, c, k, weight, U^T, stride, how far its places are apart, columns (of c) in a panel.
    """
    parts, c, k = get_int(args, 0), get_int(args, 1), get_int(args, 2)
    weight, u, stride = get_int(args, 3), get_int(args, 4), get_int(args, 5)
    gap, panel = get_int(args, 6), get_int(args, 7)
    start, stop = part_of(k // WIDTH, part, parts)
    block = WIDTH * WIDTH
    for first in range(0, c, panel):
        for o in range(start * WIDTH, stop * WIDTH, WIDTH):
            for i in range(0, panel, WIDTH):
                for tap in range(9):
                    turned = scratch + 4 * (i // WIDTH * 9 + tap) * block
                    transpose(weight + 4 * ((tap * c + first + i) * k + o), k, turned, WIDTH)
            for row in range(WIDTH):
                to = u + 4 * (first * k + (o + row) * panel)
                for i in range(0, panel, WIDTH):
                    turned = scratch + 4 * (i // WIDTH * 9 * block + row * WIDTH)
                    weight_to_places(stride, turned, block, to + 4 * i, gap)


def weight_gradient(l0, l1, l2, l3, args, part, scratch):
    """dweight[3, 3, c, k] = G^T dU G of all pictures together, for this part's share of c.

    Block: parts, c, k, dU, dweight, how far dU's places are apart, columns (of k) in a panel, stride.
    """
    parts, c, k = get_int(args, 0), get_int(args, 1), get_int(args, 2)
    du, dweight, gap, panel = get_int(args, 3), get_int(args, 4), get_int(args, 5), get_int(args, 6)
    stride = get_int(args, 7)
    start, stop = part_of(c, part, parts)
    for first in range(0, k, panel):
        for i in range(start, stop):
            for o in range(first, first + panel, WIDTH):
                at = du + 4 * (first * c + i * panel + o - first)
                places_to_weight(stride, at, gap, dweight + 4 * (i * k + o), c * k)


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


def sum_weight(l0, l1, l2, l3, args, part, scratch):
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
