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

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.primitives.scalars import get_int
from residua.engines.numba.kernels.primitives.vector import WIDTH, inline, load, store

GAP = 16


@inline
def exchange(c, args, top, bottom, picture, breadth, stride, windows, pitch, back):
    """Copy the windows of rows of outputs, pixel by pixel, into rows `pitch` numbers apart; or, on the way
    back, add these rows to the picture that they were taken from."""
    kernel = get_int(args, pictures.KERNEL)
    for i in range(top, bottom):
        for j in range(get_int(args, pictures.OUT_BREADTH)):
            for u in range(kernel):
                there = picture + 4 * ((i * stride + u) * breadth + j * stride) * c
                here = windows + 4 * u * kernel * c
                for q in range(0, kernel * c, WIDTH):
                    if back:
                        store(there, q, load(there, q) + load(here, q))
                    else:
                        store(here, q, load(there, q))
            windows += 4 * pitch
