"""A convolution's weights on the host's side: padded, transformed, turned round, and their gradients."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.weights import gradient, packing
from residua.engines.numba.kernels.weights import winograd as weights
from residua.engines.numba.kernels.winograd.transforms import PLACES
from residua.engines.numba.planning.convolution import Plan
from residua.engines.numba.runtime.arrays import contiguous, fitted
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.layout import padded

Array = NDArray[Any]
SHARE = 256  # weights of one tap that are worth a part of their own


def wide_weight(context: Context, weight: Array, c: int, k: int) -> Array:
    """The weight (kernel, kernel, c, k) with channels padded by zeros, flat."""
    if (c, k) == weight.shape[2:]:
        return contiguous(context, weight).reshape(-1)
    return fitted(context, weight, *weight.shape[:2], c, k).reshape(-1)


def transformed(
    context: Context, block: Array, weight: Array, flat: Array, p: Plan, *, few: bool
) -> list[Any]:
    """Fill in U, the transform of the weight for Winograd's way; what must stay alive.

    For a `few` pictures transforming would take longer than convolving: U is kept as long as the weight.
    """
    size, copy = PLACES * p.weights, None
    if few and flat.size == weight.size:
        u, copy = context.kept_transform(weight, size)
    else:
        u = context.allocate(size)
    share = max(1, p.c // 16 if p.large else p.c * p.k // SHARE)
    copy_at = 0 if copy is None else address_of(copy)
    arguments = (
        share, p.c, p.k, address_of(flat), address_of(u), copy_at, p.stride, p.weights, p.panel(p.k),
    )  # fmt: skip
    context.run(weights.transform_weight, arguments, share)
    block[pictures.WEIGHT] = address_of(u)
    return [u, copy]


def panels(context: Context, block: Array, flat: Array, p: Plan, *, turned: bool) -> Array:
    """Fill in the weight cut into panels, as gathered windows read it."""
    window = p.kernel**2 * p.c
    packed = context.allocate(window * p.k)
    share = max(1, (window if turned else p.k) // 32)
    arguments = (share, window, p.k, address_of(flat), address_of(packed), int(turned))
    context.run(packing.pack_panels, arguments, share)
    block[pictures.WEIGHT] = address_of(packed)
    return packed


def turned(context: Context, block: Array, flat: Array, p: Plan, want_dx: bool) -> Array:
    """Fill in the weight as the way back reads it, inputs and outputs exchanged."""
    if (p.method == "gathered" or p.pointwise) and want_dx:
        return panels(context, block, flat, p, turned=True)
    share = max(1, p.k // (32 if p.large else 16))
    if p.method == "winograd":
        u = context.allocate(PLACES * p.weights)
        arguments = (share, p.c, p.k, address_of(flat), address_of(u), p.stride, p.weights, p.panel(p.c))
        context.run(weights.transform_transposed, arguments, share)
    else:
        wide = padded(p.c)
        u = context.allocate(p.kernel**2 * wide * p.k)
        phases = (share, p.kernel, p.stride, p.c, p.k, wide, p.k, address_of(flat), address_of(u))
        if want_dx:
            context.run(packing.pack_backward, phases, share)
    block[pictures.WEIGHT] = address_of(u)
    return u


def weight_gradient(context: Context, weight: Array, p: Plan, partial: Array) -> Array:
    """dweight, as the layer sees it, from the parts' gradients."""
    kernel, _, c, k = weight.shape
    if p.at_once and (c, k) == (p.c, p.k):
        return partial.reshape(weight.shape)
    share = max(1, p.c // (16 if p.large else 4))
    if not p.large:
        dweight = context.allocate(weight.size)
        summing = (
            share, kernel, p.c, p.k, c, k, address_of(partial), address_of(dweight), p.partials,
        )  # fmt: skip
        context.run(gradient.sum_parts, summing, share)
        return dweight.reshape(weight.shape)
    wide = context.allocate(9 * p.c * p.k)
    arguments = (share, p.c, p.k, address_of(partial), address_of(wide), p.weights, p.panel(p.k), p.stride)
    context.run(weights.weight_gradient, arguments, share)
    return fitted(context, wide.reshape(3, 3, p.c, p.k), 3, 3, c, k)
