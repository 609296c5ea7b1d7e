"""Convolutions of many channels: windows of some rows, or of several pictures, gathered into one matrix.

Where rows of outputs are short, so is each product of `direct`, and weights that outgrow the second-level
cache are read once a picture. So the windows of some rows of a picture, or of a group of small pictures, are
copied into rows of one matrix ("im2col"; copying is a hundredth of multiplying), and there are three products
of matrices:

    forward     y (pixels x K)          = windows (pixels x taps C)  x  weight (taps C x K)
    dweight     (taps C x K)           += windows^T  x  dy (pixels x K)
    dx          windows' gradient       = dy  x  weight^T, which is added up where the windows came from

The weight lies in panels of WIDE columns, each from end to end in memory (`weights.packing.pack_panels`):
rows of 1024 bytes would all fall into the same few places of the first-level cache. For the same reason the
rows of the gathered matrices are GAP numbers longer than what they hold.
"""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.pictures.arguments import geometry
from residua.engines.numba.kernels.pictures.load import load_picture
from residua.engines.numba.kernels.pictures.shape import Cut, Shape
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store
from residua.engines.numba.kernels.products.blocks import ROWS, rounded_up

GAP = 16


def floats_of(shape: Shape, cut: Cut) -> tuple[int, int, int]:
    """A picture with its border, the matrix of the windows that are gathered at a time, a group's outputs."""
    height, width = shape.bordered
    gathered = cut.group * cut.strip * shape.out_width
    pixels = cut.group * shape.out_height * shape.out_width
    return height * width * shape.c, rounded_up(gathered) * (shape.window + GAP), pixels + ROWS


class Strip(NamedTuple):
    """Rows of outputs, from top to bottom, of a group of pictures, whose windows are gathered at a time."""

    picture: int
    pictures: int
    top: int
    bottom: int


class Sizes(NamedTuple):
    """Floats of a picture and pixels of its rows, with its border; pixels of the output; floats of a window,
    and how far windows are apart."""

    picture: int
    width: int
    pixels: int
    window: int
    pitch: int


@inline
def sizes_of(c, args):
    """The sizes of a convolution over c channels."""
    g = geometry(args)
    width, window = g.width + 2 * g.padding, g.kernel * g.kernel * c
    picture = (g.height + 2 * g.padding) * width * c
    return Sizes(picture, width, g.out_height * g.out_width, window, window + GAP)


@inline
def gather_windows(c, stride, args, strip, frame, matrix, fresh):
    """Copy a strip's windows, pixel by pixel, into the rows of a matrix (a `Result`).

    The pictures are loaded into the frame, one after the other, for the `fresh` strip, which is the first.
    """
    g, to = geometry(args), matrix.address
    for n in range(strip.picture, strip.picture + strip.pictures):
        if fresh:
            load_picture(c, args, n, frame)
        for i in range(strip.top, strip.bottom):
            for j in range(g.out_width):
                for u in range(g.kernel):
                    source = frame.address + 4 * ((i * stride + u) * frame.width + j * stride) * c
                    target = to + 4 * u * g.kernel * c
                    for q in range(0, g.kernel * c, WIDTH):
                        store(target, q, load(source, q))
                to += 4 * matrix.row


@inline
def scatter_windows(c, stride, args, strip, number, matrix, frame):
    """Add the windows of the strip's picture of that number to the picture that they were taken from."""
    g = geometry(args)
    source = matrix.address + 4 * number * (strip.bottom - strip.top) * g.out_width * matrix.row
    for i in range(strip.top, strip.bottom):
        for j in range(g.out_width):
            for u in range(g.kernel):
                to = frame.address + 4 * ((i * stride + u) * frame.width + j * stride) * c
                window = source + 4 * u * g.kernel * c
                for q in range(0, g.kernel * c, WIDTH):
                    store(to, q, load(to, q) + load(window, q))
            source += 4 * matrix.row
