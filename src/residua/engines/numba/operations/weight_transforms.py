"""A convolution's weights on the host's side: padded, transformed, transposed, and their gradients."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.channel_padding import Fit, fit
from residua.engines.numba.kernels.weights import (
    gradient,
    packing,
    winograd,
    winograd_five_taps,
    winograd_two_taps,
)
from residua.engines.numba.planning.plan import IM2COL, WINOGRAD, Plan
from residua.engines.numba.runtime.arrays import contiguous, fitted
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.buffers import nobody_writes
from residua.engines.numba.runtime.context import Context, Prepare
from residua.engines.numba.runtime.layout import padded, suited

Array = NDArray[Any]
BY_TAPS: dict[int, Any] = {2: winograd_two_taps, 3: winograd, 5: winograd_five_taps}
SHARE = 256  # weights of one tap that are worth a part of their own


def padded_weight(context: Context, weight: Array, c: int, k: int) -> Array:
    """The weight (kernel, kernel, c, k) with channels padded by zeros, flat."""
    if (c, k) == weight.shape[2:]:
        return contiguous(context, weight).reshape(-1)
    return fitted(context, weight, *weight.shape[:2], c, k).reshape(-1)


def kept_padded_weight(context: Context, weight: Array, c: int, k: int) -> Array:
    """`padded_weight` of one that nobody can write to, made once where there is something to make."""
    if (c, k) == weight.shape[2:] or not weight.flags.c_contiguous:
        return padded_weight(context, weight, c, k)
    taps, (rows, columns) = weight.shape[0] * weight.shape[1], weight.shape[2:]

    def prepare(target: int, copy: int) -> tuple[Any, Any, int]:
        size = Fit(max(1, taps * c // 16), taps, rows, columns, c, k, address_of(weight), target)
        return fit, size, size.parts

    return context.prepared(weight, taps * c * k, "padded", prepare)[0]


def set_transform(
    context: Context, block: Array, weight: Array, flat: Array, p: Plan, *, few: bool
) -> list[Any]:
    """Fill in U, the transform of the weight for Winograd's way; what must stay alive.

    For a `few` pictures transforming would take longer than convolving: U is kept as long as the weight.
    """
    (c, k), size = (p.shape.c, p.shape.k), p.weight_places * p.weights

    def prepare(u: int, copy: int) -> tuple[Any, Any, int]:
        arguments = winograd.TransformWeight(
            parts=max(1, c // 16 if p.many_channels else c * k // SHARE), c=c, k=k,
            weight=address_of(flat), u=u, copy=copy,
            stride=p.shape.stride, places=p.weights, panel=p.panel(k),
        )  # fmt: skip
        return suited(BY_TAPS[p.shape.kernel].transform_weight, c, k), arguments, arguments.parts

    # A copy to compare with is one of the weight itself.
    kept = weight if few and (flat.size == weight.size or nobody_writes(weight)) else None
    return _set_weight(context, block, prepare, (size, (p.shape.kernel, p.shape.stride)), kept)


def set_panels(
    context: Context, block: Array, flat: Array, p: Plan, *, transposed: bool, kept: Array | None = None
) -> list[Any]:
    """Fill in the weight cut into panels, as gathered windows read it; what must stay alive.

    kept: the weight, if the panels are kept as long as that.
    """
    window, k = p.shape.window, p.shape.k

    def prepare(packed: int, copy: int) -> tuple[Any, Any, int]:
        arguments = packing.PackPanels(
            parts=max(1, (window if transposed else k) // 32), window=window, k=k,
            weight=address_of(flat), packed=packed, transposed=int(transposed),
        )  # fmt: skip
        return suited(packing.pack_panels, p.shape.c, k), arguments, arguments.parts

    return _set_weight(context, block, prepare, (window * k, "panels"), kept)


def _set_weight(
    context: Context, block: Array, prepare: Prepare, kind: tuple[int, Any], kept: Array | None
) -> list[Any]:
    """Fill in what a kernel makes of a weight, kept or made for this once; kind: its size, and what it is."""
    if kept is None:
        arrays = [context.allocate(kind[0])]
        context.run(*prepare(address_of(arrays[0]), 0))
    else:
        arrays = context.prepared(kept, *kind, prepare)
    block[pictures.WEIGHT] = address_of(arrays[0])
    return arrays


def set_transposed(context: Context, block: Array, flat: Array, p: Plan, want_dx: bool) -> Any:
    """Fill in the weight as the way back reads it, inputs and outputs exchanged."""
    if (p.method == IM2COL or p.pointwise) and want_dx:
        return set_panels(context, block, flat, p, transposed=True)
    c, k, kernel, stride = p.shape.c, p.shape.k, p.shape.kernel, p.shape.stride
    parts = max(1, k // (32 if p.many_channels else 16))
    if p.method == WINOGRAD:
        u = context.allocate(p.weight_places * p.weights)
        transform = winograd.TransformTransposed(
            parts=parts, c=c, k=k, weight=address_of(flat), u=address_of(u),
            stride=stride, places=p.weights, panel=p.panel(c),
        )  # fmt: skip
        context.run(suited(BY_TAPS[kernel].transform_transposed, c, k), transform, parts)
    else:
        u = context.allocate(kernel**2 * padded(c) * k)
        phases = packing.PackBackward(
            parts=parts, kernel=kernel, stride=stride, c=c, k=k, wide_c=padded(c), wide_k=k,
            weight=address_of(flat), packed=address_of(u),
        )  # fmt: skip
        if want_dx:
            context.run(suited(packing.pack_backward, c, k), phases, parts)
    block[pictures.WEIGHT] = address_of(u)
    return u


def weight_gradient(context: Context, weight: Array, p: Plan, partial: Array) -> Array:
    """dweight, as the layer sees it, from the parts' gradients."""
    kernel, _, c, k = weight.shape
    wide_c, wide_k = p.shape.c, p.shape.k
    if p.at_once and (c, k) == (wide_c, wide_k):
        return partial.reshape(weight.shape)
    parts = max(1, wide_c // (16 if p.many_channels else 4))
    if not p.many_channels:
        dweight = context.allocate(weight.size)
        sums = gradient.SumParts(
            parts=parts, kernel=kernel, wide_c=wide_c, wide_k=wide_k, c=c, k=k,
            partial=address_of(partial), dweight=address_of(dweight), summed=p.partials,
        )  # fmt: skip
        context.run(suited(gradient.sum_parts, wide_c, wide_k), sums, parts)
        return dweight.reshape(weight.shape)
    wide = context.allocate(kernel**2 * wide_c * wide_k)
    arguments = winograd.WeightGradient(
        parts=parts, c=wide_c, k=wide_k, du=address_of(partial), dweight=address_of(wide),
        places=p.weights, panel=p.panel(wide_k), stride=p.shape.stride,
    )  # fmt: skip
    context.run(suited(BY_TAPS[kernel].weight_gradient, wide_c, wide_k), arguments, parts)
    return fitted(context, wide.reshape(kernel, kernel, wide_c, wide_k), kernel, kernel, c, k)
