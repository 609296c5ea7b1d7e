"""Values of any kind finished: as an array, a flat picture, what a kernel loads, a masked gradient."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from types import MethodType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.activations import passes as activations
from residua.engines.numba.kernels.normalization import coefficients as normalization
from residua.engines.numba.kernels.normalization import passes
from residua.engines.numba.kernels.pointwise import strides
from residua.engines.numba.lazy.gradients import MaskedGradient, MeanGradient, SubsampledGradient
from residua.engines.numba.lazy.pending import Normalization, Padded, Pending, Subsampled
from residua.engines.numba.lazy.promise import BackwardJob, DeferredConvolution, Ending, Promise
from residua.engines.numba.runtime.arrays import contiguous, fitted, kernels_accept
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context, double
from residua.engines.numba.runtime.layout import MOST_PARTS, padded, suited, whole
from residua.engines.numba.runtime.trees import map_leaves

Array = NDArray[Any]
Shape = tuple[int, ...]


# ---------------------------------------------------------------------- promises
def promise(
    context: Context, shape: Shape, compute: Callable[[], Any], job: BackwardJob | None = None
) -> Promise:
    """A result that is computed when it is read, and an ordinary array for NumPy."""
    return Promise(shape, compute, MethodType(plain, context), job)


def deferred_convolution(
    context: Context, shape: Shape, convolve: Callable[[Ending], Any], *, rectified: bool
) -> DeferredConvolution:
    """A convolution that is run when it is read; convolve(ending) gives it, stored in that way."""
    return DeferredConvolution(shape, convolve, MethodType(plain, context), rectified)


def resolved(x: Any) -> Any:
    """What a promise gives; anything else itself."""
    while isinstance(x, Promise):
        x = x.get()
    return x


# ---------------------------------------------------------------------- values
def plain(context: Context, x: Any) -> Any:
    """Any value as an ordinary array; what is none (None, a number) is left as it is."""
    if type(x) is np.ndarray:  # nearly always, so asked first
        return x
    with context.thread_pool.lock:
        return _plain(context, x)


def _plain(context: Context, x: Any) -> Any:
    x = resolved(x)
    if isinstance(x, Pending):
        return cropped(context, x.shape, materialized(context, x))
    if isinstance(x, MaskedGradient | Padded):
        return cropped(context, x.shape, x.flat)
    if isinstance(x, MeanGradient):
        rows = plain(context, x.rows)
        return context.host(context.reference.global_average_pool_backward, rows, x.shape)
    if isinstance(x, Subsampled):
        source = plain(context, x.source)
        subsample = context.reference.subsample_pad
        return context.host(subsample, source, channels=x.shape[3], stride=x.stride)[0]
    if isinstance(x, SubsampledGradient):
        return _put_back(context, x)
    return x


def _put_back(context: Context, x: SubsampledGradient) -> Array:
    small = plain(context, x.source)
    channels = small.shape[3]
    if x.shape[3] != channels or not whole(channels):
        backward = context.reference.subsample_pad_backward
        result: Array = context.host(backward, small, x.shape, channels=channels, stride=x.stride)
        return result
    large = context.allocate(prod(x.shape))
    copy_strided(context, strides.put_back, x.shape, x.stride, large, contiguous(context, small))
    return large.reshape(x.shape)


def copy_strided(
    context: Context, kernel: Callable[..., Any], shape: Shape, stride: int, large: Array, small: Array
) -> None:
    """Take every stride-th pixel out of large pictures of this shape, or put it back."""
    n, h, w, c = shape
    parts = min(MOST_PARTS, n * -(-h // stride))
    block = strides.Strides(parts, n, h, w, c, stride, address_of(large), address_of(small))
    context.run(suited(kernel, c), block, parts)


def cropped(context: Context, shape: Shape, flat: Array) -> Array:
    """A flat picture as an array of this shape, without the padded channels."""
    return fitted(context, flat.reshape(*shape[:-1], -1), *shape)


def flat(context: Context, x: Any) -> Array:
    """Any value as a flat picture, channels padded."""
    x = resolved(x)
    if isinstance(x, Pending):
        return materialized(context, x)
    if isinstance(x, MaskedGradient | Padded):
        pixels: Array = x.flat
        return pixels
    x = plain(context, x)
    wide = padded(x.shape[-1])
    if wide == x.shape[-1]:
        return contiguous(context, x).reshape(-1)
    return fitted(context, x, *x.shape[:-1], wide).reshape(-1)


def kernel_input(context: Context, x: Any) -> Any:
    """x as a kernel can load it: pending, padded, or an array."""
    x = resolved(x)
    if isinstance(x, Pending | Padded):
        return x
    x = plain(context, x)
    return contiguous(context, x) if kernels_accept(x) else x


def on_arrays(context: Context, function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """The function, given ordinary arrays; recorded as one call. What no kernel takes ends here."""
    arguments, options = map_leaves((arguments, options), MethodType(plain, context))
    return context.host(function, *arguments, **options)


# ---------------------------------------------------------------------- pending pictures
def materialized(context: Context, x: Pending) -> Array:
    """The finished picture, flat; stored, so that it is made once."""
    if x.result is None:
        finish(context, x, None)
    assert x.result is not None
    result: Array = x.result
    return result


def handed_out(context: Context, y: Pending) -> Any:
    """A pending value as its maker returns it: within a step pictures wait to be read.

    Features are read as arrays; and outside of a step the caller may change the array that it gave.
    """
    if len(y.shape) == 4 and context.thread_pool.in_step:
        return y
    return cropped(context, y.shape, materialized(context, y))


def finish(context: Context, x: Pending, mean: Array | None) -> None:
    """Store the finished picture and, where there is room for them, the means over its pixels."""
    norm = x.norm
    if x.activation is not None:
        x.result = context.allocate(norm.raw.size)
        _activation_pass(context, activations.forward, x.activation.forward, norm, x.result)
        return
    count, pixels = x.shape[0], norm.raw.size // (x.shape[0] * norm.padded_channels)
    skip = None if x.skip is None else flat(context, x.skip)
    x.result = context.allocate(norm.raw.size)
    parts = min(MOST_PARTS, count)
    scale, shift = norm.row_address(normalization.SCALE), norm.row_address(normalization.SHIFT)
    low = context.constant(0.0 if x.relu else -np.inf, norm.padded_channels)
    skip_address, mean_address = (0 if a is None else address_of(a) for a in (skip, mean))
    block = passes.Normalize(
        parts, count, pixels, norm.padded_channels, address_of(norm.raw), scale, shift, low,
        skip_address, address_of(x.result), mean_address,
    )  # fmt: skip
    context.run(suited(passes.normalize, norm.padded_channels), block, parts, scratch=norm.padded_channels)
    x.skip = None


def _activation_pass(
    context: Context,
    kernel: Callable[..., Any],
    rows: Callable[..., Any],
    norm: Normalization,
    target: Array,
    dy: Array | None = None,
) -> None:
    """A pass of `kernels.activations.passes` over pictures."""
    pixels = norm.raw.size // norm.padded_channels
    parts = min(MOST_PARTS, -(-pixels // activations.FEW))
    rows_at = context.code(suited(rows, norm.padded_channels))
    block = activations.Pass(
        parts, pixels, norm.padded_channels, rows_at, address_of(norm.raw),
        norm.row_address(normalization.SCALE), norm.row_address(normalization.SHIFT),
        0 if dy is None else address_of(dy), address_of(target),
    )  # fmt: skip
    context.run(kernel, block, parts)


def multiplied_by_derivative(context: Context, dy: Array, y: Pending) -> Array:
    """A flat gradient by y's activation as that by what it was of."""
    assert y.activation is not None
    g = context.allocate(dy.size)
    _activation_pass(context, activations.backward, y.activation.backward, y.norm, g, dy)
    return g


def identity_normalization(context: Context, x: Any) -> Normalization:
    """A finished picture as one whose normalisation changes nothing."""
    channels = x.shape[-1]
    rows = context.block(normalization.IDENTITY, channels)
    return Normalization(flat(context, x), rows, channels, padded(channels))


def masked_gradient(context: Context, dy: Any, y: Pending) -> MaskedGradient:
    """dy as a masked gradient by y: as the convolution above left it, or by one more pass."""
    dy = resolved(dy)
    linear = not y.relu and y.activation is None
    if isinstance(dy, MaskedGradient) and dy.value.norm is y.norm and (dy.value is y or linear):
        return dy
    norm = y.norm
    if y.activation is not None:
        dy = Padded(y.shape, multiplied_by_derivative(context, flat(context, dy), y))
    count, pixels = y.shape[0], norm.raw.size // (y.shape[0] * norm.padded_channels)
    is_mean = isinstance(dy, MeanGradient)
    rows = flat(context, dy.rows if is_mean else dy)
    z = materialized(context, y) if y.relu else None
    # Without ReLU the gradient is what it was: only its sums are missing.
    g = rows if z is None and not is_mean else context.allocate(norm.raw.size)
    parts = min(MOST_PARTS, count)
    sums = context.allocate(parts * 2 * norm.padded_channels, np.float64)
    block = passes.MaskGradient(
        parts, count, pixels, norm.padded_channels, address_of(rows), int(is_mean),
        0 if z is None else address_of(z), address_of(norm.raw), norm.row_address(normalization.MEAN),
        0 if g is rows else address_of(g), address_of(sums), double(1 / pixels if is_mean else 1.0),
    )  # fmt: skip
    kernel = suited(passes.mask_gradient, norm.padded_channels)
    context.run(kernel, block, parts, scratch=2 * norm.padded_channels)
    return MaskedGradient(y, g, sums, parts)
