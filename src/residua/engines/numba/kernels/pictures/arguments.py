"""The arguments of convolutions: where each lies in their block of int64, and which are read together."""

from __future__ import annotations

from typing import NamedTuple

from residua.engines.numba.kernels.primitives.arguments import reader
from residua.engines.numba.kernels.primitives.scalars import get_int, part_of
from residua.engines.numba.kernels.primitives.vector import inline

# Which gradients are asked for.
WEIGHT_ONLY, INPUT_ONLY, BOTH = 1, 2, 3

# The batch and the geometry. STRIP: how many rows of tiles (Winograd's way for few channels) or of outputs
# (im2col) are worked on at a time.
PARTS, COUNT, HEIGHT, BREADTH, PADDING, OUT_HEIGHT, OUT_BREADTH, GROUP, CHUNK, KERNEL, STRIP = range(11)
# Where x comes from: (MODE, KEEP, ...); scale, shift and the lower bound LOW are one number a channel.
MODE, KEEP, X, SCALE, SHIFT, LOW, SKIP, Z = range(11, 19)
COPY, NORM, NORM_SKIP, NORM_SUBSAMPLED = range(4)
# A subsampled skip: pixels (i STEP, j STEP) of pictures of SKIP_HEIGHT x SKIP_BREADTH with SKIP_CHANNELS;
# its channel 0 is added to channel BEFORE; MASK is 1 for the channels that it has.
STEP, SKIP_HEIGHT, SKIP_BREADTH, SKIP_CHANNELS, BEFORE, MASK = range(19, 25)
# The convolution.
WEIGHT, Y, SUMS, BIAS, OUT_LOW = range(25, 30)
# Backward: how dy is finished (GRADIENT_MODE), its parts, and where results go.
GRADIENT_MODE, DY, RAW, A, B, C0, WEIGHT_GRADIENT, DX = range(30, 38)
AS_IT_IS, AFFINE, MASKED = range(3)
# Backward: what happens to dx, and what it needs.
DX_MODE, X_RAW, X_MEAN, DX_SKIP = range(38, 42)
PLAIN, SUMMED, SUMMED_SKIP, SUMMED_SUBSAMPLED = range(4)
# All pictures at once: Winograd's matrices for many channels, or x and dy of a heavy 1x1 convolution.
V, M = range(42, 44)
# A direct convolution: whether the weight lies in panels (`weights.packing.pack_panels`).
PACKED = 44
# How many parts are worked on at a time: so far on lies, most likely, the next one of the same thread.
AHEAD = 45
# Without statistics: what is added to y before a ReLU, or 0.
Y_SKIP = 46
# What NORM_SKIP's skip is multiplied by, and what is added to it, a number each a channel.
SKIP_SCALE, SKIP_SHIFT = 47, 48
# The rows of a smooth activation (`activations`): 0, or the address of the address of the one that x takes
# as it is loaded, and of the one that dx takes, with what the normalisation in front of that multiplies by
# and adds.
ACTIVATION, DERIVATIVE, X_SCALE, X_SHIFT = range(49, 53)
# Without statistics: how many of the parts share the same pixels, each with columns of its own.
ACROSS = 53
# Parts and tiles of other pictures, before the group whose tiles Winograd's matrices hold.
PARTS_BEFORE, TILES_BEFORE = 54, 55
# Without statistics: how many floats pixels of y are apart, K or, where y is some channels of more, those.
Y_PIXEL = 56
FIELDS = 57


class Geometry(NamedTuple):
    """PARTS to STRIP."""

    parts: int
    batch: int
    height: int
    width: int
    padding: int
    out_height: int
    out_width: int
    group: int
    chunk: int
    kernel: int
    strip: int


class Source(NamedTuple):
    """MODE to Z: where x comes from."""

    mode: int
    keep: int
    x: int
    scale: int
    shift: int
    low: int
    skip: int
    z: int


class Subsampling(NamedTuple):
    """STEP to MASK: a subsampled skip."""

    step: int
    height: int
    width: int
    channels: int
    before: int
    mask: int


class GradientSource(NamedTuple):
    """GRADIENT_MODE to C0: where the gradient by the raw convolution comes from."""

    mode: int
    dy: int
    raw: int
    a: int
    b: int
    c0: int


class GradientTarget(NamedTuple):
    """DX to DX_SKIP: where dx goes, and what happens to it."""

    dx: int
    mode: int
    raw: int
    mean: int
    skip: int


geometry = reader(Geometry)
source_of = reader(Source, MODE)
subsampling = reader(Subsampling, STEP)
gradient_source = reader(GradientSource, GRADIENT_MODE)
gradient_target = reader(GradientTarget, DX)


class Rows(NamedTuple):
    """Rows first to stop of one picture of the batch."""

    picture: int
    first: int
    stop: int


class Frame(NamedTuple):
    """Pixels in a scratch: where the first one lies, and how many pixels rows are apart."""

    address: int
    width: int


@inline
def inside(frame, channels, padding):
    """What lies in a frame behind a border of that many pixels."""
    return Frame(frame.address + 4 * (padding * frame.width + padding) * channels, frame.width)


@inline
def following(args, part, picture, stop):
    """The picture that comes next: this one, or, where the part ends, the first of the thread's next part."""
    if picture < stop:
        return picture
    count, parts = get_int(args, COUNT), get_int(args, PARTS)
    return part_of(count, part + get_int(args, AHEAD), parts)[0]
