"""Weights transformed for Winograd's products, and their gradients transformed back.

Each is a kernel of its own, cut into parts along the channels.
"""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.scalars import get, get_int, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, load, store, transpose
from residua.engines.numba.kernels.winograd.tiles import places_to_weight, weight_to_places


def transform_weight(l0, l1, l2, l3, args, part, scratch):
    """U[36, c, k] = G weight[3, 3, c, k] G^T, for this part's share of c.

    Block: parts, c, k, weight, U, copy or 0, stride, how far U's places are apart, and how many columns lie
    in a panel of their own (see `winograd.many_channels`; k where all lie in rows). Where there is a copy,
    U belongs to it, and is made anew only if the weight is no longer equal: comparing costs a tenth of
    transforming.
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
