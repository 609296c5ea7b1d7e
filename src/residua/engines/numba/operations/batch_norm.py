"""Batch normalisation of pictures that no convolution beside it has made, and what it becomes frozen."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.normalization import coefficients as rows
from residua.engines.numba.kernels.normalization import passes
from residua.engines.numba.lazy.gradients import MaskedGradient
from residua.engines.numba.lazy.materialize import (
    flat,
    handed_out,
    kernel_input,
    masked_gradient,
    on_arrays,
    promise,
)
from residua.engines.numba.lazy.pending import Normalization, Padded, Pending
from residua.engines.numba.operations.normalization import Sums, normalize, normalize_backward
from residua.engines.numba.runtime.arrays import kernels_accept
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.layout import MOST_PARTS, padded, suited
from residua.engines.vocabulary.core import Saved

Array = NDArray[Any]


def batch_norm(
    context: Context,
    x: Any,
    scale: Array | None,
    shift: Array | None,
    *,
    eps: float,
    relu: bool = False,
) -> tuple[Any, Array, Array, Saved]:
    """Normalised pictures, finished by whoever reads them; y, mean, var, saved."""
    x = kernel_input(context, x)
    if not _fits(x, scale, shift):
        function = context.reference.batch_norm
        result: tuple[Any, Array, Array, Saved] = on_arrays(
            context, function, x, scale, shift, eps=eps, relu=relu
        )
        return result
    raw, (n, h, w, channels) = flat(context, x), x.shape
    wide, parts = padded(channels), min(MOST_PARTS, n)
    totals = context.allocate(parts * 2 * wide, np.float64)
    # Any number of a channel is near to the others, measured by how far these are apart.
    origin = raw[:wide]
    if context.together is not None:
        origin = context.host(context.together.first, origin)
    block = passes.Moments(parts, n, h * w, wide, address_of(raw), address_of(origin), address_of(totals))
    context.run(suited(passes.moments, wide), block, parts, scratch=2 * wide)
    norm = normalize(context, raw, Sums(totals, parts, n * h * w, origin), channels, scale, shift, eps)
    y = Pending(x.shape, norm, relu)
    return handed_out(context, y), norm.row(rows.MEAN), norm.row(rows.VARIANCE), y


def batch_norm_backward(
    context: Context, dy: Any, scale: Array | None, saved: Saved, *, relu: bool = False
) -> tuple[Any, Any, Any]:
    """Gradients dx, dscale, dshift of `batch_norm`."""
    if not isinstance(saved, Pending):
        function = context.reference.batch_norm_backward
        result: tuple[Any, Any, Any] = on_arrays(context, function, dy, scale, saved, relu=relu)
        return result
    norm, g = saved.norm, masked_gradient(context, dy, saved)
    count = norm.raw.size // norm.padded_channels
    dscale, dshift = normalize_backward(context, norm, g, count, scale)
    dx = promise(context, saved.shape, lambda: _affine(context, g, norm, norm.coefficients))
    return dx, dscale, dshift


def scale_shift(
    context: Context, x: Any, scale: Array, shift: Array, *, relu: bool = False
) -> tuple[Any, Saved]:
    """x * scale + shift, then ReLU by option, done by whoever reads it."""
    x = kernel_input(context, x)
    if not _fits(x, scale, shift):
        function = context.reference.scale_shift
        result: tuple[Any, Saved] = on_arrays(context, function, x, scale, shift, relu=relu)
        return result
    channels = x.shape[3]
    block = context.host(_frozen_rows, scale, shift, padded(channels))
    y = Pending(x.shape, Normalization(flat(context, x), block, channels, padded(channels)), relu)
    return handed_out(context, y), y


def scale_shift_backward(
    context: Context, dy: Any, scale: Array, saved: Saved, *, relu: bool = False
) -> tuple[Any, Any, Any]:
    """Gradients dx, dscale, dshift of `scale_shift`."""
    if not isinstance(saved, Pending):
        function = context.reference.scale_shift_backward
        result: tuple[Any, Any, Any] = on_arrays(context, function, dy, scale, saved, relu=relu)
        return result
    norm, g = saved.norm, masked_gradient(context, dy, saved)
    nothing = norm.row_address(rows.MEAN)
    coefficients = norm.row_address(rows.SCALE), nothing, nothing
    dx = promise(context, saved.shape, lambda: _affine(context, g, norm, coefficients))
    sums = g.sums.reshape(g.parts, 2, norm.padded_channels)
    dshift, dscale = context.host(_sums_of_parts, sums, norm.channels)
    return dx, dscale, dshift


def _fits(x: Any, *others: Any) -> bool:
    return kernels_accept(x, *others) and len(x.shape) == 4 and 0 not in x.shape


def _affine(
    context: Context, g: MaskedGradient, norm: Normalization, coefficients: tuple[int, int, int]
) -> Any:
    out = context.allocate(norm.raw.size)
    pixels = norm.raw.size // norm.padded_channels
    parts = min(MOST_PARTS, -(-pixels // passes.FEW))
    block = passes.Affine(
        parts, pixels, norm.padded_channels, address_of(g.flat), address_of(norm.raw), *coefficients,
        address_of(out),
    )  # fmt: skip
    context.run(suited(passes.affine, norm.padded_channels), block, parts)
    return Padded(g.shape, out)


def _frozen_rows(scale: Array, shift: Array, wide: int) -> Array:
    block = np.zeros((rows.ROWS, wide), np.float32)
    block[rows.SCALE, : len(scale)], block[rows.SHIFT, : len(shift)] = scale, shift
    return block.reshape(-1)


def _sums_of_parts(sums: Array, channels: int) -> tuple[Array, Array]:
    total = sums[:, :, :channels].sum(axis=0).astype(np.float32)
    return total[0], total[1]
