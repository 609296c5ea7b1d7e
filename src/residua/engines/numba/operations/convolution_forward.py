"""A convolution's way forward: gather what its kernel needs, run it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.direct import forward as direct
from residua.engines.numba.kernels.im2col import forward as im2col
from residua.engines.numba.kernels.normalization import coefficients as normalization
from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.winograd import forward as winograd
from residua.engines.numba.lazy.materialize import flat, materialized
from residua.engines.numba.lazy.pending import Padded, Pending, Subsampled
from residua.engines.numba.lazy.promise import ALONE, Ending
from residua.engines.numba.operations import many_channels
from residua.engines.numba.operations.weight_transforms import (
    kept_padded_weight,
    padded_weight,
    set_panels,
    set_transform,
)
from residua.engines.numba.planning.plan import IM2COL, WINOGRAD, Plan
from residua.engines.numba.runtime.arrays import contiguous, fitted
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.buffers import nobody_writes
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.layout import padded, suited

Array = NDArray[Any]
INFINITY = float("inf")
FEW = 8  # pictures for which transformed weights are kept,
LIGHT = 128 * 128  # or for any number where they are so few of one tap and nobody can write to them


def forward(
    context: Context,
    x: Any,
    weight: Array,
    p: Plan,
    *,
    bias: Array | None = None,
    relu: bool = False,
    ending: Ending = ALONE,
    statistics: bool = False,
    passing: bool = False,
) -> tuple[Array, Any]:
    """The raw convolution and, with `statistics`, its sums; else y with bias, ReLU and that ending.

    passing: nothing that is made of this weight is worth keeping.
    """
    context.memory.batch = p.shape.batch
    parts = p.forward.parts if statistics else p.sharing.down * p.sharing.across
    block = geometry_block(context, p, parts)
    block[pictures.ACROSS] = p.sharing.across
    references = set_input(context, block, x, p.shape.c)
    steady = not statistics and nobody_writes(weight)
    padding = kept_padded_weight if steady else padded_weight
    pixels = padding(context, weight, p.shape.c, p.shape.k)
    skip, place = ending.skip, ending.place
    if place is None:
        y = context.allocate(p.shape.out_pixels * p.shape.k)
        block[pictures.Y], block[pictures.Y_PIXEL] = address_of(y), p.shape.k
    else:
        y = place.pixels
        block[pictures.Y], block[pictures.Y_PIXEL] = address_of(y) + 4 * place.first, place.channels
    sums = None
    if statistics:
        sums = context.allocate(p.forward.parts * 2 * p.shape.k, np.float64)
        block[pictures.SUMS] = address_of(sums)
    elif bias is not None or relu or skip is not None or not p.straight:
        offsets = context.block((0.0,), p.shape.k) if bias is None else contiguous(context, bias)
        offsets = fitted(context, offsets, p.shape.k)
        block[pictures.BIAS], block[pictures.OUT_LOW] = address_of(offsets), _low(context, relu, p.shape.k)
        references += [offsets, skip]
        block[pictures.Y_SKIP] = 0 if skip is None else address_of(skip)
    if p.method == WINOGRAD:
        light = steady and p.shape.c * p.shape.k <= LIGHT
        few = not statistics and not passing and (p.shape.batch <= FEW or light)
        references += set_transform(context, block, weight, pixels, p, few=few)
        if p.many_channels:
            many_channels.forward(context, block, p, statistics)
            return y, sums
        kernel: Any = winograd.forward
    else:
        # Panels of weights that stay what they are cost nothing but memory.
        packed = p.method == IM2COL or p.packed or (steady and p.heavy)
        block[pictures.WEIGHT], block[pictures.PACKED] = address_of(pixels), packed
        if packed:
            kept = weight if steady else None
            references += set_panels(context, block, pixels, p, transposed=False, kept=kept)
        kernel = im2col.forward if p.method == IM2COL else direct.forward
    kernel = suited(kernel, p.shape.c, p.shape.k)
    context.run(kernel, block, parts, *p.forward_literals(statistics), p.forward.scratch)
    return y, sums


def geometry_block(context: Context, p: Plan, parts: int) -> Array:
    """A kernel's block of arguments with the geometry filled in."""
    block = np.zeros(pictures.FIELDS, np.int64)
    s, cut = p.shape, p.cut
    block[: pictures.STRIP + 1] = pictures.Geometry(
        parts, s.batch, s.height, s.width, s.padding, s.out_height, s.out_width,
        cut.group, cut.chunk, s.kernel, cut.strip,
    )  # fmt: skip
    block[pictures.AHEAD] = context.thread_pool.threads
    return block


def _low(context: Context, relu: bool, channels: int) -> int:
    return context.constant(0.0 if relu else -INFINITY, channels)


def set_input(context: Context, block: Array, x: Any, c: int) -> list[Any]:
    """Fill in where x lies and what is still to be done to it; what must stay alive meanwhile is returned."""
    if not isinstance(x, Pending):
        pixels = x.flat if isinstance(x, Padded) else x
        block[pictures.X], block[pictures.LOW] = address_of(pixels), _low(context, False, c)
        return [pixels]
    block[pictures.LOW] = _low(context, x.relu, c)
    if x.result is not None:
        block[pictures.X] = address_of(x.result)
        return [x.result]
    norm, skip = x.norm, x.skip
    if x.activation is not None:
        block[pictures.ACTIVATION] = context.code(suited(x.activation.forward, c))
    block[pictures.X] = address_of(norm.raw)
    block[pictures.SCALE] = norm.row_address(normalization.SCALE)
    block[pictures.SHIFT] = norm.row_address(normalization.SHIFT)
    references: list[Any] = [norm]
    if skip is None:
        block[pictures.MODE] = pictures.NORM
    else:
        references += _set_skip(context, block, skip, x.shape[3], c)
    if skip is not None or x.shared:
        x.result = context.allocate(norm.raw.size)
        block[pictures.KEEP], block[pictures.Z] = 1, address_of(x.result)
        # What was added is in the finished picture now.
        x.skip = None
    return references


def _set_skip(context: Context, block: Array, skip: Any, channels: int, c: int) -> list[Any]:
    """Fill in what is added to the input; what must stay alive meanwhile, the pixels last."""
    references: list[Any] = []
    if isinstance(skip, Subsampled) and isinstance(skip.source, Pending):
        block[pictures.MODE] = pictures.NORM_SUBSAMPLED
        set_subsampled(context, block, skip, channels)
        references.append(materialized(context, skip.source))
    else:
        block[pictures.MODE] = pictures.NORM_SKIP
        if isinstance(skip, Pending) and skip.linear:
            # A shortcut's own normalisation is done here as well.
            references += [skip.norm, skip.norm.raw]
            scale = skip.norm.row_address(normalization.SCALE)
            shift = skip.norm.row_address(normalization.SHIFT)
        else:
            references.append(flat(context, skip))
            scale, shift = context.constant(1.0, c), context.constant(0.0, c)
        block[pictures.SKIP_SCALE], block[pictures.SKIP_SHIFT] = scale, shift
    block[pictures.SKIP] = address_of(references[-1])
    return references


def set_subsampled(context: Context, block: Array, subsampled: Any, channels: int) -> None:
    """Fill in the geometry of a skip with every stride-th pixel of its source, or of the gradient by one."""
    _, h, w, source_channels = subsampled.source.shape
    before = abs(channels - source_channels) // 2
    step = (subsampled.stride, h, w, padded(source_channels), before)
    block[pictures.STEP : pictures.BEFORE + 1] = step
    fewer = source_channels < channels
    lanes = (before, before + source_channels) if fewer else (0, channels)
    block[pictures.MASK] = context.lanes(padded(channels), *lanes)
