"""Pictures by their phases: what a convolution with a stride reads of them, for one without a stride.

Pixels whose row and column leave the same remainders by the stride are a phase; with stride s there are
s * s, each a picture of its own. A kernel with that stride multiplies each of them with taps of its own,
pixel after pixel: so the phases are laid beside one another as channels, the kernel's taps likewise, and a
kernel of 9x9 with a stride of 2 becomes one of 5x5 over four times the channels, which Winograd's way can
take.
"""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.scalars import clear, part_of
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store


class Phases(NamedTuple):
    """What both kernels are given.

    height, width: of the pictures. channels: in whole vectors. padding: pixels of zeros around them. rows,
    columns: of each phase. pictures, phases: where they lie, (n, height, width, channels) and
    (n, rows, columns, stride, stride, channels).
    """

    parts: int
    batch: int
    height: int
    width: int
    channels: int
    stride: int
    padding: int
    rows: int
    columns: int
    pictures: int
    phases: int


_phases = reader(Phases)


@inline
def _copy(to, source, count):
    for i in range(0, count, WIDTH):
        store(to, i, load(source, i))


def take_apart(l0, l1, l2, l3, args, part, scratch):
    """phases[n, i, j, a, b] = pictures[n, i stride + a - padding, j stride + b - padding]; zero outside."""
    p = _phases(args)
    height, width, channels, stride, rows, columns = (
        p.height, p.width, p.channels, p.stride, p.rows, p.columns,
    )  # fmt: skip
    padding, pictures = p.padding, p.pictures
    start, stop = part_of(p.batch * rows, part, p.parts)
    to = p.phases + 4 * start * columns * stride * stride * channels
    for unit in range(start, stop):
        n, top = unit // rows, unit % rows * stride - padding
        for j in range(columns):
            left = j * stride - padding
            for a in range(stride):
                y = top + a
                line = pictures + 4 * (n * height + y) * width * channels
                for x in range(left, left + stride):
                    if 0 <= y < height and 0 <= x < width:
                        _copy(to, line + 4 * x * channels, channels)
                    else:
                        clear(to, channels)
                    to += 4 * channels


def put_together(l0, l1, l2, l3, args, part, scratch):
    """pictures from their phases; zero where no phase reaches."""
    p = _phases(args)
    height, width, channels, stride, rows, columns = (
        p.height, p.width, p.channels, p.stride, p.rows, p.columns,
    )  # fmt: skip
    padding, phases = p.padding, p.phases
    start, stop = part_of(p.batch * height, part, p.parts)
    to = p.pictures + 4 * start * width * channels
    for unit in range(start, stop):
        n, y = unit // height, unit % height + padding
        i, a = y // stride, y % stride
        for x in range(padding, padding + width):
            j, b = x // stride, x % stride
            if i < rows and j < columns:
                at = (((n * rows + i) * columns + j) * stride + a) * stride + b
                _copy(to, phases + 4 * at * channels, channels)
            else:
                clear(to, channels)
            to += 4 * channels
