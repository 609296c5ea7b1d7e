"""Batch normalisation, its statistics in float32 whatever the pictures are in."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from residua.engines.jax.precision import wide

Array = Any
Saved = Any


def forward(
    x: Array, scale: Array | None, shift: Array | None, eps: float, relu: bool
) -> tuple[Array, Array, Array, Saved]:
    """y in the precision of x, mean and variance, and what the way back needs."""
    axes = tuple(range(x.ndim - 1))
    mean = wide(x).mean(axis=axes)
    # From the centred values: the mean of squares less the squared mean cancels in float32.
    centred = wide(x) - mean
    var = (centred * centred).mean(axis=axes)
    inverse = 1 / jnp.sqrt(var + eps)
    y = centred * (inverse if scale is None else inverse * scale)
    if shift is not None:
        y = y + shift
    if relu:
        y = jnp.maximum(y, 0)
    y = y.astype(x.dtype)
    # x rather than what was made of it: the compiler makes it again where that is cheaper than to keep it.
    return y, mean, var, (x, mean, inverse, y if relu else None)


def backward(dy: Array, scale: Array | None, saved: Saved, relu: bool) -> tuple[Array, Array, Array]:
    """Gradients dx, in the precision of x, dscale and dshift."""
    x, mean, inverse, y = saved
    dy = wide(dy)
    if relu:
        dy = dy * (y > 0)
    axes = tuple(range(dy.ndim - 1))
    count = x.size // x.shape[-1]
    normalized = (wide(x) - mean) * inverse
    dshift = dy.sum(axis=axes)
    dscale = (dy * normalized).sum(axis=axes)
    slope = inverse if scale is None else scale * inverse
    dx = slope * (dy - dshift / count - normalized * (dscale / count))
    return dx.astype(x.dtype), dscale, dshift
