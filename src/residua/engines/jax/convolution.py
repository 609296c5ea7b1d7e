"""Convolutions of every kind, and their gradients from JAX's own transposes.

XLA hands exactly these forms to the fastest kernels of a device; a sum that is the same but is written in
another way, such as a turned kernel over a picture with zeros between its pixels, may miss them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
from jax import lax

from residua.engines.jax.precision import narrow, wide
from residua.engines.numpy.convolution import output_size
from residua.engines.vocabulary.convolution import uneven_groups
from residua.errors import ShapeError

Array = Any
Saved = Any

LAYOUT = ("NHWC", "HWIO", "NHWC")


def convolve(x: Array, weight: Array, *, stride: int, padding: int, groups: int = 1) -> Array:
    """The convolution alone: (N, H, W, C) and (kernel, kernel, C / groups, K) -> (N, OH, OW, K)."""
    around = [(padding, padding)] * 2
    strides = (stride, stride)
    return lax.conv_general_dilated(
        x, weight, strides, around, dimension_numbers=LAYOUT, feature_group_count=groups
    )


def transpose(function: Callable[[Array], Array], like: Array, cotangent: Array) -> Array:
    """The linear function's transpose at `cotangent`; like: an array of its argument's shape and type."""
    (result,) = jax.linear_transpose(function, jax.ShapeDtypeStruct(like.shape, like.dtype))(cotangent)
    return result


def check(x: Array, weight: Array, padding: int, groups: int = 1) -> None:
    """Raise ShapeError where the convolution does not fit the pictures."""
    channels = weight.shape[2] * groups
    if x.ndim != 4 or x.shape[-1] != channels:
        raise ShapeError(
            f"a convolution over {channels} channels needs pictures (N, H, W, {channels}); "
            f"it was given {tuple(x.shape)}"
        )
    if weight.shape[3] % groups:
        raise ShapeError(uneven_groups(groups, weight.shape[3]))
    for size in x.shape[1:3]:
        output_size(size, weight.shape[0], 1, padding)


def forward(
    engine: Any,
    x: Array,
    weight: Array,
    bias: Array | None,
    *,
    stride: int,
    padding: int,
    relu: bool,
    groups: int = 1,
) -> tuple[Array, Saved]:
    """A convolution in groups of channels, its bias and, by option, ReLU: y, and x, y for the way back."""
    x, kernel = narrow(engine, x), narrow(engine, weight)
    y = convolve(x, kernel, stride=stride, padding=padding, groups=groups)
    if bias is not None:
        y = y + bias.astype(y.dtype)
    if relu:
        y = engine.xp.maximum(y, 0)
    return y, (x, y if relu else None)


def backward(
    engine: Any,
    dy: Array,
    weight: Array,
    saved: Saved,
    *,
    stride: int,
    padding: int,
    relu: bool,
    groups: int = 1,
) -> tuple[Array, Array, Array]:
    """Gradients dx, dweight, dbias of `forward`; the latter two in the weight's precision."""
    x, y = saved
    dy = narrow(engine, dy)
    if relu:
        dy = dy * (y > 0)
    kernel = narrow(engine, weight)
    options = {"stride": stride, "padding": padding, "groups": groups}
    dx = transpose(lambda x: convolve(x, kernel, **options), x, dy)
    dweight = transpose(lambda kernel: convolve(x, kernel, **options), kernel, dy)
    return dx, dweight.astype(weight.dtype), wide(dy).sum(axis=(0, 1, 2))


def transposed_forward(
    engine: Any, x: Array, weight: Array, bias: Array | None, *, stride: int, padding: int, extra: int
) -> tuple[Array, Saved]:
    """What a convolution does to gradients, of pictures: y, and x for the way back."""
    x, kernel = narrow(engine, x), narrow(engine, weight).swapaxes(2, 3)
    size = weight.shape[0]
    sides = ((side - 1) * stride + size - 2 * padding + extra for side in x.shape[1:3])
    like = jax.ShapeDtypeStruct((x.shape[0], *sides, weight.shape[3]), x.dtype)
    y = transpose(lambda y: convolve(y, kernel, stride=stride, padding=padding), like, x)
    return (y if bias is None else y + bias.astype(y.dtype)), x


def transposed_backward(
    engine: Any, dy: Array, weight: Array, saved: Saved, *, stride: int, padding: int
) -> tuple[Array, Array, Array]:
    """Gradients dx, dweight, dbias of `transposed_forward`."""
    dy, kernel = narrow(engine, dy), narrow(engine, weight).swapaxes(2, 3)
    dx = convolve(dy, kernel, stride=stride, padding=padding)
    dkernel = transpose(lambda kernel: convolve(dy, kernel, stride=stride, padding=padding), kernel, saved)
    return dx, dkernel.swapaxes(2, 3).astype(weight.dtype), wide(dy).sum(axis=(0, 1, 2))
