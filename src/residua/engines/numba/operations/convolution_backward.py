"""A convolution's way back: the gradients by its input and by its weight, from one kernel or several."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.direct import backward as direct
from residua.engines.numba.kernels.direct import weight_gradient as direct_weight_gradient
from residua.engines.numba.kernels.im2col import backward as im2col
from residua.engines.numba.kernels.normalization import coefficients as normalization
from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pointwise import backward as pointwise
from residua.engines.numba.kernels.winograd import backward as winograd
from residua.engines.numba.lazy.gradients import MaskedGradient, SubsampledGradient
from residua.engines.numba.lazy.materialize import flat, materialized
from residua.engines.numba.lazy.pending import Padded, Pending
from residua.engines.numba.operations import many_channels
from residua.engines.numba.operations.convolution_forward import geometry_block, set_input, set_subsampled
from residua.engines.numba.operations.weight_transforms import padded_weight, set_transposed, weight_gradient
from residua.engines.numba.planning.plan import DIRECT, IM2COL, WINOGRAD, Plan
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.layout import suited, whole

Array = NDArray[Any]
KERNELS: dict[str, Any] = {
    WINOGRAD: winograd.backward,
    IM2COL: im2col.backward,
    DIRECT: direct.backward,
}


class OutputGradient(NamedTuple):
    """How the gradient by the raw convolution comes about (`kernels.pictures.load_gradient`)."""

    mode: int
    dy: Array
    raw: Array | None = None
    coefficients: tuple[int, int, int] | None = None


def expect_backward(context: Context, p: Plan) -> None:
    """What is trained forward will be trained backward: have its kernel compiled meanwhile."""
    if p.many_channels:
        return
    kernel, literal = _kernel(p, want_dx=whole(p.shape.c))
    literals, specialised = p.backward_literals(literal)
    context.kernels.will_need(kernel, literals if specialised else ())


def _kernel(p: Plan, want_dx: bool, want_dweight: bool = True) -> tuple[Any, int]:
    """The kernel for those of dx and dweight that are wanted; and what it is to be told of that."""
    kernel, literal = _kernel_of_family(p, want_dx, want_dweight)
    return suited(kernel, p.shape.c, p.shape.k), literal


def _kernel_of_family(p: Plan, want_dx: bool, want_dweight: bool) -> tuple[Any, int]:
    if not want_dweight:
        return pointwise.backward if p.pointwise else KERNELS[p.method], pictures.INPUT_ONLY
    outputs = pictures.BOTH if want_dx else pictures.WEIGHT_ONLY
    if p.pointwise:
        spread = outputs - pictures.WEIGHT_ONLY + pointwise.SPREAD
        return pointwise.backward, spread if p.at_once else outputs
    if p.method == DIRECT and not want_dx:
        return direct_weight_gradient.backward, 0
    return KERNELS[p.method], outputs


def backward(
    context: Context,
    x: Any,
    weight: Array,
    p: Plan,
    gradient: OutputGradient,
    *,
    skip: Any = None,
    want_dx: bool = True,
    want_dweight: bool = True,
) -> tuple[Any, Any]:
    """dx (a MaskedGradient where x is pending, else flat) and dweight of one convolution; None for neither.

    `skip` is added to dx.
    """
    block = geometry_block(context, p, p.backward.parts)
    if isinstance(x, Pending) and x.result is None and x.skip is not None:
        materialized(context, x)
    references: list[Any] = [set_input(context, block, x, p.shape.c), gradient]
    _set_output_gradient(block, gradient)
    pixels = padded_weight(context, weight, p.shape.c, p.shape.k)
    if want_dweight:
        partial = context.allocate(p.partials * p.partial_size)
        block[pictures.WEIGHT_GRADIENT] = address_of(partial)
    dx: Any = None
    if want_dx:
        dx = context.allocate(p.shape.pixels * p.shape.c)
        block[pictures.DX] = address_of(dx)
    if isinstance(skip, SubsampledGradient) and p.shape.batch != x.shape[0]:
        skip = Padded(x.shape, flat(context, skip))
    if want_dx and isinstance(x, Pending):
        sums = context.allocate(p.backward.parts * 2 * p.shape.c, np.float64)
        block[pictures.SUMS] = address_of(sums)
        references.append(_set_dx(context, block, x, dx, skip))
        dx = MaskedGradient(x, dx, sums, p.backward.parts)
    references.append(set_transposed(context, block, pixels, p, want_dx))
    if p.many_channels:
        many_channels.backward(context, block, p, want_dx, want_dweight)
    else:
        kernel, literal = _kernel(p, want_dx, want_dweight)
        spread = many_channels.spread(context, block, p) if p.at_once and want_dweight else None
        context.run(kernel, block, p.backward.parts, *p.backward_literals(literal), p.backward.scratch)
        if spread is not None:
            many_channels.multiply_weights(context, p, spread, partial)
    return dx, weight_gradient(context, weight, p, partial) if want_dweight else None


def _set_output_gradient(block: Array, gradient: OutputGradient) -> None:
    """Fill in how the gradient by the raw convolution is loaded."""
    raw = gradient.dy if gradient.raw is None else gradient.raw
    block[pictures.GRADIENT_MODE], block[pictures.DY] = gradient.mode, address_of(gradient.dy)
    block[pictures.RAW] = address_of(raw)
    if gradient.coefficients is not None:
        block[pictures.A : pictures.C0 + 1] = gradient.coefficients


def _set_dx(context: Context, block: Array, x: Pending, dx: Array, skip: Any) -> Array:
    """Fill in how dx by a pending picture is stored: its sums, and what is added; what must stay alive."""
    block[pictures.DX_MODE] = pictures.SUMMED
    block[pictures.X_RAW] = address_of(x.norm.raw)
    block[pictures.X_MEAN] = x.norm.row_address(normalization.MEAN)
    if x.activation is not None:
        block[pictures.DERIVATIVE] = context.code(suited(x.activation.backward, x.norm.padded_channels))
        block[pictures.X_SCALE] = x.norm.row_address(normalization.SCALE)
        block[pictures.X_SHIFT] = x.norm.row_address(normalization.SHIFT)
    summand = dx
    if isinstance(skip, SubsampledGradient):
        block[pictures.DX_MODE] = pictures.SUMMED_SUBSAMPLED
        set_subsampled(context, block, skip, x.shape[3])
        summand = flat(context, skip.source)
    elif skip is not None:
        block[pictures.DX_MODE] = pictures.SUMMED_SKIP
        summand = flat(context, skip)
    block[pictures.DX_SKIP] = address_of(summand)
    return summand
