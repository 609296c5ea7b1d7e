"""The arguments of pooling, where each lies in its block of int64, and its kinds."""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.primitives.arguments import reader

PARTS, COUNT, HEIGHT, BREADTH, CHANNELS, OUT_HEIGHT, OUT_BREADTH, KERNEL, STRIDE, PADDING = range(10)
X, SCALE, SHIFT, LOW, Y, DY, DX, SUMS, RAW, MEAN = range(10, 20)
FIELDS = 20
MAXIMUM, AVERAGE = range(2)


class Pooling(NamedTuple):
    """PARTS to MEAN. Channels are padded; `sums`, backward, may be 0: those of dx and of dx (raw - mean)."""

    parts: int
    batch: int
    height: int
    width: int
    channels: int
    out_height: int
    out_width: int
    kernel: int
    stride: int
    padding: int
    x: int
    scale: int
    shift: int
    low: int
    y: int
    dy: int
    dx: int
    sums: int
    raw: int
    mean: int


class Window(NamedTuple):
    """Where a window's first pixel lies, how far rows and pixels are apart, how many it has of both."""

    first: int
    row: int
    pixel: int
    rows: int
    columns: int


pooling_of = reader(Pooling)
