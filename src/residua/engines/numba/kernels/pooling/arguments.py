"""The arguments of pooling, as places in its block of int64, and its kinds."""

from __future__ import annotations

PARTS, COUNT, HEIGHT, BREADTH, CHANNELS, OUT_HEIGHT, OUT_BREADTH, KERNEL, STRIDE, PADDING = range(10)
X, SCALE, SHIFT, LOW, Y, DY, DX, SUMS, RAW, MEAN = range(10, 20)
FIELDS = 20
MAXIMUM, AVERAGE = range(2)
