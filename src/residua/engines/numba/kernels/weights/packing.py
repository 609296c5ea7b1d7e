"""Weights packed as the other convolutions read them: turned round by phases, or in panels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from residua.engines.numba.kernels.direct.phases import taps_before, taps_in_phase
from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.scalars import get, part_of, put
from residua.engines.numba.kernels.primitives.vector import WIDTH, load, store, transpose
from residua.engines.numba.kernels.products.blocks import WIDE


class PackBackward(NamedTuple):
    """What `pack_backward` is given: c and k of the weight, and as they lie padded."""

    parts: int
    kernel: int
    stride: int
    c: int
    k: int
    wide_c: int
    wide_k: int
    weight: int
    packed: int


class PackPanels(NamedTuple):
    """What `pack_panels` is given: the floats of a window (kernel kernel c), and whether to transpose."""

    parts: int
    window: int
    k: int
    weight: int
    packed: int
    transposed: int


_phases, _panels = reader(PackBackward), reader(PackPanels)


def pack_backward(l0, l1, l2, l3, args, part, scratch):
    """weight[u, v, c, k] -> phases of [taps down, turned round][taps right, turned round][k][c]."""
    p = _phases(args)
    kernel, stride, c, k, wide_c, wide_k = p.kernel, p.stride, p.c, p.k, p.wide_c, p.wide_k
    weight, packed = p.weight, p.packed
    start, stop = part_of(wide_k, part, p.parts)
    for u in range(kernel):
        down, high = u % stride, taps_in_phase(kernel, stride, u % stride)
        for v in range(kernel):
            right, wide = v % stride, taps_in_phase(kernel, stride, v % stride)
            position = taps_before(kernel, stride, down, right)
            position += (high - 1 - u // stride) * wide + wide - 1 - v // stride
            source, target = (u * kernel + v) * c * k, position * wide_k * wide_c
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
    """weight[window, k] -> [panels of k][window][WIDE], or transposed [panels of window][k][WIDE]."""
    p = _panels(args)
    window, k, weight, packed = p.window, p.k, p.weight, p.packed
    long = window if p.transposed else k
    start, stop = part_of((long + WIDE - 1) // WIDE, part, p.parts)
    for panel in range(start * WIDE, min(stop * WIDE, long), WIDE):
        columns = min(WIDE, long - panel)
        if p.transposed:
            to = packed + 4 * panel * k
            for o in range(0, k, WIDTH):
                for j in range(0, columns, WIDTH):
                    transpose(weight + 4 * ((panel + j) * k + o), k, to + 4 * (o * columns + j), columns)
        else:
            to = packed + 4 * panel * window
            for i in range(window):
                for j in range(0, columns, WIDTH):
                    store(to, i * columns + j, load(weight, i * k + panel + j))
