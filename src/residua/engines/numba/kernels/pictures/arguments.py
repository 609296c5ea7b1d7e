"""The arguments of convolutions, as places in their block of int64."""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.scalars import get_int, part_of
from residua.engines.numba.kernels.primitives.vector import (
    inline,
)

WEIGHT_ONLY, INPUT_ONLY, BOTH = 1, 2, 3


# The batch and the geometry.
PARTS, COUNT, HEIGHT, BREADTH, PADDING, OUT_HEIGHT, OUT_BREADTH, GROUP, CHUNK, KERNEL = range(10)
# Where x comes from: (MODE, KEEP, ...); scale, shift and the lower bound LOW are one number a channel.
MODE, KEEP, X, SCALE, SHIFT, LOW, SKIP, Z = range(10, 18)
COPY, NORM, NORM_SKIP, NORM_SUBSAMPLED = range(4)
# A subsampled skip: pixels (i STEP, j STEP) of pictures of SKIP_HEIGHT x SKIP_BREADTH with SKIP_CHANNELS;
# its channel 0 is added to channel BEFORE; MASK is 1 for the channels that it has.
STEP, SKIP_HEIGHT, SKIP_BREADTH, SKIP_CHANNELS, BEFORE, MASK = range(18, 24)
# The convolution.
WEIGHT, Y, SUMS, BIAS, OUT_LOW = range(24, 29)
# Backward: how dy is finished (GRADIENT_MODE), its parts, and where results go.
GRADIENT_MODE, DY, RAW, A, B, C0, WEIGHT_GRADIENT, DX = range(29, 37)
AS_IT_IS, AFFINE, MASKED = range(3)
# Backward: what happens to dx, and what it needs.
DX_MODE, X_RAW, X_MEAN, DX_SKIP = range(37, 41)
PLAIN, SUMMED, SUMMED_SKIP, SUMMED_SUBSAMPLED = range(4)
# All pictures at once: Winograd's matrices for many channels, or x and dy of a heavy 1x1 convolution.
V, M = range(41, 43)
# How many rows of tiles (Winograd's way for few channels) or of outputs (gathered) are worked on at a time.
STRIP = 43
# A direct convolution: whether the weight lies in panels (`weights.packing.pack_panels`).
PACKED = 44
# How many parts are worked on at a time: so far on lies, most likely, the next one of the same thread.
AHEAD = 45
# Without statistics: what is added to y before a ReLU, or 0.
Y_SKIP = 46
# What NORM_SKIP's skip is multiplied by, and what is added to it, a number each a channel.
SKIP_SCALE, SKIP_SHIFT = 47, 48
FIELDS = 49


@inline
def following(args, part, picture, stop):
    """The picture that comes next: this one, or, where the part ends, the first of the thread's next part."""
    if picture < stop:
        return picture
    count, parts = get_int(args, COUNT), get_int(args, PARTS)
    return part_of(count, part + get_int(args, AHEAD), parts)[0]
