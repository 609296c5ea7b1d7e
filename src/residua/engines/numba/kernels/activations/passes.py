"""Activations where no convolution loads or stores the pictures anyway: a pass of their own."""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.pictures.load import copy_row
from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.calls import call_row
from residua.engines.numba.kernels.primitives.scalars import get_int, part_of

FEW = 16  # pixels at a time, which stay in the first-level cache


class Pass(NamedTuple):
    """What both are given: all pixels, channels padded, and where the address of the rows lies."""

    parts: int
    pixels: int
    channels: int
    rows: int
    raw: int
    scale: int
    shift: int
    dy: int
    target: int


_pass = reader(Pass)


def forward(l0, l1, l2, l3, args, part, scratch):
    """target = activation(raw scale + shift)."""
    p = _pass(args)
    start, stop = part_of(p.pixels, part, p.parts)
    for first in range(start, stop, FEW):
        at, count = 4 * first * p.channels, min(FEW, stop - first) * p.channels
        call_row(get_int(p.rows, 0), p.raw + at, p.scale, p.shift, p.channels, p.target + at, count, 0)


def backward(l0, l1, l2, l3, args, part, scratch):
    """target = dy activation'(raw scale + shift)."""
    p = _pass(args)
    start, stop = part_of(p.pixels, part, p.parts)
    for first in range(start, stop, FEW):
        at, count = 4 * first * p.channels, min(FEW, stop - first) * p.channels
        copy_row(p.dy + at, p.target + at, count)
        call_row(get_int(p.rows, 0), p.raw + at, p.scale, p.shift, p.channels, p.target + at, count, 0)
