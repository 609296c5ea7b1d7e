"""Batch normalisation, its statistics in float32 whatever the pictures are in."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from residua.engines.jax.precision import wide

Array = Any
Saved = Any


def forward(
    x: Array,
    scale: Array | None,
    shift: Array | None,
    eps: float,
    relu: bool,
    there: Array | None = None,
) -> tuple[Array, Array, Array, Saved]:
    """y in the precision of x, mean and variance, and what the way back needs.

    there: (N,) which pictures count in mean and variance; None for all. The variance is such that what a
    layer makes of it for as many numbers as x has is the unbiased one of those that count.
    """
    axes = tuple(range(x.ndim - 1))
    mask, count = _mask(x, there)
    mean = (wide(x) * mask).sum(axis=axes) / count
    # From the centred values: the mean of squares less the squared mean cancels in float32.
    centred = wide(x) - mean
    var = (centred * centred * mask).sum(axis=axes) / count
    inverse = 1 / jnp.sqrt(var + eps)
    y = centred * (inverse if scale is None else inverse * scale)
    if shift is not None:
        y = y + shift
    if relu:
        y = jnp.maximum(y, 0)
    y = y.astype(x.dtype)
    if there is not None:
        every = x.size // x.shape[-1]
        var = var * (count / jnp.maximum(count - 1, 1)) * ((every - 1) / every)
    # x rather than what was made of it: the compiler makes it again where that is cheaper than to keep it.
    return y, mean, var, (x, mean, inverse, y if relu else None, there)


def backward(dy: Array, scale: Array | None, saved: Saved, relu: bool) -> tuple[Array, Array, Array]:
    """Gradients dx, in the precision of x, dscale and dshift; dx is zero where a picture does not count."""
    x, mean, inverse, y, there = saved
    mask, count = _mask(x, there)
    dy = wide(dy) * mask
    if relu:
        dy = dy * (y > 0)
    axes = tuple(range(dy.ndim - 1))
    normalized = (wide(x) - mean) * inverse
    dshift = dy.sum(axis=axes)
    dscale = (dy * normalized).sum(axis=axes)
    slope = inverse if scale is None else scale * inverse
    dx = slope * (dy - dshift / count - normalized * (dscale / count)) * mask
    return dx.astype(x.dtype), dscale, dshift


def _mask(x: Array, there: Array | None) -> tuple[Any, Any]:
    """One where x (N, ..., C) counts and zero elsewhere, and how many numbers of a channel count."""
    if there is None:
        return 1, x.size // x.shape[-1]
    mask = there.astype(wide(x).dtype).reshape(-1, *[1] * (x.ndim - 1))
    return mask, mask.sum() * (x.size // (x.shape[0] * x.shape[-1]))
