"""Normalisation: over the batch, by frozen numbers, over neighbouring channels; written once."""

from __future__ import annotations

from typing import Any

Array = Any
Saved = Any


def batch_norm(
    engine: Any, x: Array, scale: Array | None, shift: Array | None, *, eps: float, relu: bool = False
) -> tuple[Array, Array, Array, Saved]:
    """y = (x - mean) / sqrt(var + eps) * scale + shift per channel (the last axis), then ReLU by option.

    `mean` and `var` (biased) are the batch's own (Ioffe and Szegedy 2015, algorithm 1). Without a scale it is
    multiplied by one, without a shift moved by zero.
    """
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axis=axes)
    centred = x - mean
    var = (centred * centred).mean(axis=axes)
    inverse = 1 / engine.xp.sqrt(var + eps)
    normalized = centred * inverse
    y = normalized if scale is None else normalized * scale
    if shift is not None:
        y = y + shift
    if relu:
        y = engine.xp.maximum(y, 0)
    return y, mean, var, (normalized, inverse, y if relu else None)


def batch_norm_backward(
    engine: Any, dy: Array, scale: Array | None, saved: Saved, *, relu: bool = False
) -> tuple[Array, Array, Array]:
    """Gradients dx, dscale, dshift of `batch_norm`; the latter two also where there is no scale or shift."""
    normalized, inverse, y = saved
    if relu:
        dy = dy * (y > 0)
    axes = tuple(range(dy.ndim - 1))
    count = normalized.size // normalized.shape[-1]
    dshift = dy.sum(axis=axes)
    dscale = (dy * normalized).sum(axis=axes)
    slope = inverse if scale is None else scale * inverse
    dx = slope * (dy - dshift / count - normalized * (dscale / count))
    return dx, dscale, dshift


def scale_shift(
    engine: Any, x: Array, scale: Array, shift: Array, *, relu: bool = False
) -> tuple[Array, Saved]:
    """y = x * scale + shift per channel, then ReLU by option: a frozen normalisation."""
    y = x * scale + shift
    if relu:
        y = engine.xp.maximum(y, 0)
    return y, (x, y if relu else None)


def scale_shift_backward(
    engine: Any, dy: Array, scale: Array, saved: Saved, *, relu: bool = False
) -> tuple[Array, Array, Array]:
    """Gradients dx, dscale, dshift of `scale_shift`."""
    x, y = saved
    if relu:
        dy = dy * (y > 0)
    axes = tuple(range(dy.ndim - 1))
    return dy * scale, (dy * x).sum(axis=axes), dy.sum(axis=axes)


def local_response_norm(
    engine: Any, x: Array, *, size: int, alpha: float, beta: float, offset: float
) -> tuple[Array, Saved]:
    """x / (offset + alpha * sum of x² over `size` neighbouring channels) ** beta.

    Of an even number of neighbours, more lie before. Krizhevsky et al. 2012, section 3.3.
    """
    base = offset + alpha * _neighbours(engine, x * x, size // 2, (size - 1) // 2)
    return x * base**-beta, (x, base)


def local_response_norm_backward(
    engine: Any, dy: Array, saved: Saved, *, size: int, alpha: float, beta: float, offset: float
) -> Array:
    """dy b^-beta - 2 alpha beta x * sum of dy x b^(-beta - 1) over the channels that see this one."""
    x, base = saved
    power = base**-beta
    seen = _neighbours(engine, dy * x * power / base, (size - 1) // 2, size // 2)
    return dy * power - 2 * alpha * beta * x * seen


def _neighbours(engine: Any, x: Array, before: int, after: int) -> Array:
    """The sum over each channel and those so far before and after it."""
    channels = x.shape[-1]
    wide = engine.xp.pad(x, [(0, 0)] * (x.ndim - 1) + [(before, after)])
    total = wide[..., :channels]
    for shift in range(1, before + after + 1):
        total = total + wide[..., shift : shift + channels]
    return total
