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
    start, stop = part_of(p.batch * p.rows, part, p.parts)
    to = p.phases + 4 * start * p.columns * p.stride * p.stride * p.channels
    for unit in range(start, stop):
        n, top = unit // p.rows, unit % p.rows * p.stride - p.padding
        for j in range(p.columns):
            left = j * p.stride - p.padding
            for y in range(top, top + p.stride):
                line = p.pictures + 4 * (n * p.height + y) * p.width * p.channels
                for x in range(left, left + p.stride):
                    if 0 <= y < p.height and 0 <= x < p.width:
                        _copy(to, line + 4 * x * p.channels, p.channels)
                    else:
                        clear(to, p.channels)
                    to += 4 * p.channels


def put_together(l0, l1, l2, l3, args, part, scratch):
    """pictures from their phases; zero where no phase reaches."""
    p = _phases(args)
    start, stop = part_of(p.batch * p.height, part, p.parts)
    to = p.pictures + 4 * start * p.width * p.channels
    for unit in range(start, stop):
        n, y = unit // p.height, unit % p.height + p.padding
        i, a = y // p.stride, y % p.stride
        for x in range(p.padding, p.padding + p.width):
            j, b = x // p.stride, x % p.stride
            if i < p.rows and j < p.columns:
                at = (((n * p.rows + i) * p.columns + j) * p.stride + a) * p.stride + b
                _copy(to, p.phases + 4 * at * p.channels, p.channels)
            else:
                clear(to, p.channels)
            to += 4 * p.channels
