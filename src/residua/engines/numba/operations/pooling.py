"""Pooling: maxima and means of windows, and the mean of whole pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.normalization import coefficients as normalization
from residua.engines.numba.kernels.pooling import arguments as windows
from residua.engines.numba.kernels.pooling import backward, forward
from residua.engines.numba.kernels.pooling import mean as means
from residua.engines.numba.lazy.gradients import MaskedGradient, MeanGradient
from residua.engines.numba.lazy.materialize import (
    cropped,
    finish,
    flat,
    identity_normalization,
    materialized,
    on_arrays,
    plain,
    resolved,
)
from residua.engines.numba.lazy.pending import Padded, Pending
from residua.engines.numba.runtime.arrays import kernels_accept
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.layout import MOST_PARTS, padded, suited
from residua.engines.numpy.convolution import output_size
from residua.engines.vocabulary.core import Saved

Array = NDArray[Any]
Pooled = tuple[Any, Saved]
USUAL = (2, 3)  # sides of windows that the kernel is compiled for


# ---------------------------------------------------------------------- windows
def max_pool(context: Context, x: Any, *, kernel: int, stride: int, padding: int) -> Pooled:
    """The largest value of each window."""
    if not _is_pooled_by_kernel(x):
        function = context.reference.max_pool
        result: Pooled = on_arrays(context, function, x, kernel=kernel, stride=stride, padding=padding)
        return result
    return _pool(context, windows.MAXIMUM, x, kernel, stride, padding)


def max_pool_backward(
    context: Context, dy: Any, saved: Saved, *, kernel: int, stride: int, padding: int
) -> Any:
    """`dy` at each window's largest value; of equal ones, at the first."""
    if len(saved) == 2:
        function = context.reference.max_pool_backward
        return on_arrays(context, function, dy, saved, kernel=kernel, stride=stride, padding=padding)
    return _pool_backward(context, windows.MAXIMUM, dy, saved)


def average_pool(context: Context, x: Any, *, kernel: int, stride: int, padding: int) -> Pooled:
    """The mean of each window; outside the picture lies zero, which counts."""
    if not _is_pooled_by_kernel(x):
        function = context.reference.average_pool
        result: Pooled = on_arrays(context, function, x, kernel=kernel, stride=stride, padding=padding)
        return result
    return _pool(context, windows.AVERAGE, x, kernel, stride, padding)


def average_pool_backward(
    context: Context, dy: Any, saved: Saved, *, kernel: int, stride: int, padding: int
) -> Any:
    """`dy` spread evenly over each window."""
    if len(saved) == 4:
        function = context.reference.average_pool_backward
        return on_arrays(context, function, dy, saved, kernel=kernel, stride=stride, padding=padding)
    return _pool_backward(context, windows.AVERAGE, dy, saved)


def _is_pooled_by_kernel(x: Any) -> bool:
    return len(x.shape) == 4 and kernels_accept(x)


def _pool(context: Context, kind: int, x: Any, kernel: int, stride: int, padding: int) -> Pooled:
    x = resolved(x)
    if isinstance(x, Pending) and x.activation is not None:
        x = Padded(x.shape, flat(context, x))
    n, h, w, c = x.shape
    out_height, out_width = (output_size(side, kernel, stride, padding) for side in (h, w))
    wide = padded(c)
    y = context.allocate(n * out_height * out_width * wide)
    block = np.zeros(windows.FIELDS, np.int64)
    parts = min(MOST_PARTS, n * out_height)
    block[:10] = parts, n, h, w, wide, out_height, out_width, kernel, stride, padding
    references = _set_input(context, block, x)
    block[windows.Y] = address_of(y)
    context.run(suited(forward.forward, wide), block, parts, (kind, _usual(kernel), 0, 0), True)
    shape = (n, out_height, out_width, c)
    result = y.reshape(shape) if wide == c else Padded(shape, y)
    return result, (x, y, block, references, min(MOST_PARTS, n))


def _usual(kernel: int) -> int:
    return kernel if kernel in USUAL else 0


def _set_input(context: Context, block: Array, x: Any) -> Any:
    """Fill in where x lies and what is still to be done to it; what must stay alive."""
    c = x.shape[3]
    block[windows.LOW] = context.constant(0.0 if isinstance(x, Pending) and x.relu else -np.inf, c)
    if isinstance(x, Pending) and x.result is None and x.skip is None:
        block[windows.X] = address_of(x.norm.raw)
        block[windows.SCALE] = x.norm.row_address(normalization.SCALE)
        block[windows.SHIFT] = x.norm.row_address(normalization.SHIFT)
        return x.norm
    pixels = flat(context, x)
    block[windows.X] = address_of(pixels)
    block[windows.SCALE], block[windows.SHIFT] = context.constant(1.0, c), context.constant(0.0, c)
    return pixels


def _pool_backward(context: Context, kind: int, dy: Any, saved: Saved) -> Any:
    x, y, block, references, parts = saved
    g, c = flat(context, dy), x.shape[3]
    wide = padded(c)
    dx = context.allocate(x.shape[0] * x.shape[1] * x.shape[2] * wide)
    block = block.copy()
    block[windows.PARTS] = parts  # of pictures, with sums of their own
    block[windows.Y], block[windows.DY], block[windows.DX] = map(address_of, (y, g, dx))
    block[windows.RAW], block[windows.MEAN] = block[windows.X], context.constant(0.0, c)
    sums = None
    if isinstance(x, Pending):
        sums = context.allocate(parts * 2 * wide, np.float64)
        block[windows.SUMS] = address_of(sums)
        block[windows.RAW] = address_of(x.norm.raw)
        block[windows.MEAN] = x.norm.row_address(normalization.MEAN)
    literals = (kind, _usual(int(block[windows.KERNEL])), 0, 0)
    context.run(suited(backward.backward, wide), block, parts, literals, True, scratch=2 * wide)
    del references
    return Padded(x.shape, dx) if sums is None else MaskedGradient(x, dx, sums, parts)


# ---------------------------------------------------------------------- whole pictures
def global_average_pool(context: Context, x: Any) -> Pooled:
    """(N, H, W, C) -> (N, C): the mean over each picture, taken while a pending one is finished."""
    if isinstance(x, Pending):
        if x.activation is not None:
            materialized(context, x)
        if x.result is not None:
            x = Pending(x.shape, identity_normalization(context, x), False)
        mean = context.allocate(x.shape[0] * x.norm.padded_channels)
        finish(context, x, mean)
        return cropped(context, (x.shape[0], x.shape[3]), mean), x.shape
    x = resolved(x)
    if len(x.shape) == 4 and x.shape[3] >= padded(1) and kernels_accept(x) and 0 not in x.shape:
        return _mean(context, x), x.shape
    result: Pooled = on_arrays(context, context.reference.global_average_pool, x)
    return result


def _mean(context: Context, x: Any) -> Array:
    """The reference's sums, in its order: NumPy adds up pixel by pixel where there are some channels."""
    n, h, w, c = x.shape
    pixels, wide = flat(context, x), padded(c)
    y = context.allocate(n * wide)
    parts = min(MOST_PARTS, n * -(-wide // means.BLOCK))
    block = means.Mean(parts, n, h * w, wide, address_of(pixels), address_of(y))
    context.run(suited(means.mean, wide), block, parts)
    return cropped(context, (n, c), y)


def global_average_pool_backward(context: Context, dy: Any, saved: Saved) -> Any:
    """`dy` spread evenly over each picture, as one row."""
    dy = plain(context, dy)
    if kernels_accept(dy):
        return MeanGradient(dy, saved)
    return on_arrays(context, context.reference.global_average_pool_backward, dy, saved)
