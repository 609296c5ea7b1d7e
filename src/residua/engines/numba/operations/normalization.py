"""Batch normalisation: numbers per channel from the sums that a convolution has made; sums of gradients."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.normalization import coefficients as normalization
from residua.engines.numba.kernels.normalization import passes
from residua.engines.numba.lazy.gradients import MaskedGradient
from residua.engines.numba.lazy.pending import Normalization
from residua.engines.numba.runtime.arrays import contiguous
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context, double
from residua.engines.numba.runtime.layout import MOST_PARTS, padded, suited
from residua.engines.vocabulary.together import Together
from residua.errors import ShapeError

Array = NDArray[Any]


class Sums(NamedTuple):
    """The sums of so many numbers a channel, and of their squares, part by part; less `origin` each."""

    totals: Array
    parts: int
    numbers: int
    origin: Array | None = None


def normalize(
    context: Context,
    raw: Array,
    sums: Sums,
    channels: int,
    scale: Array | None,
    shift: Array | None,
    eps: float,
) -> Normalization:
    """The numbers per channel of a normalisation, from the raw picture's sums."""
    wide = padded(channels)
    sums = _of_all_parts(context, sums, wide)
    block = context.allocate(normalization.ROWS * wide)
    scale, shift = _row(context, scale, 1.0, channels), _row(context, shift, 0.0, channels)
    arguments = normalization.Coefficients(
        1, channels, wide, sums.parts, address_of(sums.totals), address_of(scale), address_of(shift),
        address_of(block), address_of(raw), 0 if sums.origin is None else address_of(sums.origin),
        double(sums.numbers), double(eps),
    )  # fmt: skip
    context.run(normalization.coefficients, arguments, 1)
    return Normalization(raw, block, channels, wide)


def _row(context: Context, numbers: Array | None, otherwise: float, channels: int) -> Array:
    if numbers is None:
        return context.block((otherwise,), channels)
    return contiguous(context, numbers)


def _of_all_parts(context: Context, sums: Sums, wide: int) -> Sums:
    """The sums over the whole batch, where other engines have parts of it."""
    if (together := context.together) is None:
        return sums
    numbers = together.pooled(sums.numbers)
    if numbers <= normalization.FEW:
        raise ShapeError(
            f"batch normalisation over {numbers} numbers a channel is not divided: give larger batches"
        )
    return Sums(context.host(_summed, together, sums.totals, sums.parts, wide), 1, numbers, sums.origin)


def _summed(together: Together, totals: Array, parts: int, wide: int) -> Array:
    rows = totals[: parts * 2 * wide].reshape(parts, 2 * wide)
    total: Array = together.sum(rows.sum(axis=0))
    return total


def normalize_backward(
    context: Context, norm: Normalization, gradient: MaskedGradient, count: int, scale: Array | None
) -> tuple[Array, Array]:
    """Fill in a, b, c; dscale and dshift, of this engine's part of the batch where there are others."""
    if (together := context.together) is None:
        _fill_in_backward(context, norm, gradient.sums, gradient.parts, count, scale)
        return norm.row(normalization.DSCALE), norm.row(normalization.DSHIFT)
    wide = norm.padded_channels
    sums = context.host(_summed, together, gradient.sums, gradient.parts, wide)
    _fill_in_backward(context, norm, sums, 1, together.pooled(count), scale)
    inverse = norm.row(normalization.INVERSE)
    own: tuple[Array, Array] = context.host(_own, gradient.sums, gradient.parts, wide, inverse)
    return own


def _own(totals: Array, parts: int, wide: int, inverse: Array) -> tuple[Array, Array]:
    """dscale and dshift by this part's own sums."""
    channels = len(inverse)
    total, product = totals[: parts * 2 * wide].reshape(parts, 2, wide).sum(axis=0)[:, :channels]
    return (product * inverse).astype(np.float32), total.astype(np.float32)


def _fill_in_backward(
    context: Context, norm: Normalization, sums: Array, parts: int, count: int, scale: Array | None
) -> None:
    scale = _row(context, scale, 1.0, norm.channels)
    arguments = normalization.CoefficientsBackward(
        1, norm.channels, norm.padded_channels, parts, address_of(sums), address_of(scale),
        norm.address, double(count),
    )  # fmt: skip
    context.run(normalization.coefficients_backward, arguments, 1)


def channel_sums(context: Context, g: Array, y: Array | None, shape: tuple[int, ...]) -> Array:
    """The sum of g over all pixels of pictures of this shape, where y, if given, is positive: the gradient
    by a bias."""
    count, wide = shape[0], padded(shape[3])
    parts = min(MOST_PARTS, count)
    sums = context.allocate(parts * wide, np.float64)
    block = passes.ChannelSums(
        parts, count, g.size // (count * wide), wide, address_of(g), 0 if y is None else address_of(y),
        address_of(sums),
    )  # fmt: skip
    context.run(suited(passes.channel_sums, wide), block, parts, scratch=wide)
    result: Array = context.host(_sum_of_parts, sums.reshape(parts, wide), shape[3])
    return result


def _sum_of_parts(sums: Array, channels: int) -> Array:
    total: Array = sums[:, :channels].sum(axis=0).astype(np.float32)
    return total
