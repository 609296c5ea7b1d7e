"""Convolutions, alone and with batch normalisation: what is asked for, which way it goes, what comes out.

How one is computed is planned in `planning.convolution`; `convolution_forward` and `convolution_backward`
gather what its kernels need and run them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.numba.kernels.normalization import coefficients as rows
from residua.engines.numba.kernels.pictures import arguments as pictures
from residua.engines.numba.kernels.pictures.shape import Shape
from residua.engines.numba.kernels.pointwise import strides
from residua.engines.numba.lazy.gradients import MaskedGradient, SubsampledGradient
from residua.engines.numba.lazy.materialize import (
    copy_strided,
    deferred_convolution,
    flat,
    kernel_input,
    masked_gradient,
    on_arrays,
    promise,
    resolved,
)
from residua.engines.numba.lazy.pending import Padded, Pending, Subsampled
from residua.engines.numba.lazy.promise import BackwardJob, Ending, Promise
from residua.engines.numba.operations.convolution_backward import OutputGradient, backward, expect_backward
from residua.engines.numba.operations.normalization import (
    Sums,
    channel_sums,
    normalize,
    normalize_backward,
)
from residua.engines.numba.operations.phases import backward_by_phases, forward_as_planned, forward_plans
from residua.engines.numba.operations.pooling import average_pool
from residua.engines.numba.planning.convolution import pixel_rows, plan, shape_of
from residua.engines.numba.planning.phases import phases_plan
from residua.engines.numba.planning.plan import Plan
from residua.engines.numba.runtime.arrays import kernels_accept
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.layout import padded, whole
from residua.engines.numpy.convolution import output_size
from residua.engines.vocabulary.core import Saved

Array = NDArray[Any]


# ---------------------------------------------------------------------- convolution
def conv2d(
    context: Context,
    x: Any,
    weight: Array,
    bias: Array | None,
    *,
    stride: int,
    padding: int,
    relu: bool = False,
) -> tuple[Any, Saved]:
    """A convolution with bias and, by option, ReLU; within a step it waits for who reads it."""
    x = _of_whole_vectors(context, kernel_input(context, x))
    if not _fits_kernels(x, weight, bias):
        result: tuple[Any, Saved] = on_arrays(
            context, context.reference.conv2d, x, weight, bias, stride=stride, padding=padding, relu=relu
        )
        return result
    if _drops_pixels(x, weight, stride, padding):
        kept = _kept_pixels(context, x, stride)
        y, inner = conv2d(context, kept, weight, bias, stride=1, padding=0, relu=relu)
        return y, StridedSaved(inner, x.shape, stride)
    p, of_phases = forward_plans(weight, convolution_shape(x, weight, stride, padding, forward_alone=True))
    _count_reader(x)
    shape, options = _output_shape(x, weight, stride, padding), {"bias": bias, "relu": relu}
    # Within a step nobody writes to what waits to be read.
    if p.shape.k == shape[-1] and context.thread_pool.in_step:

        def convolve(ending: Ending) -> Any:
            pixels, _ = forward_as_planned(context, x, weight, p, of_phases, ending=ending, **options)
            return pixels if ending.place is not None else pixels.reshape(shape)

        y = deferred_convolution(context, shape, convolve, rectified=relu)
        return y, (x, y if relu else None, shape)
    pixels, _ = forward_as_planned(context, x, weight, p, of_phases, **options)
    y = pixels.reshape(shape) if p.shape.k == shape[-1] else Padded(shape, pixels)
    return y, (x, pixels, shape)


def conv2d_backward(
    context: Context, dy: Any, weight: Array, saved: Saved, *, stride: int, padding: int, relu: bool = False
) -> tuple[Any, Any, Any]:
    """Gradients dx, dweight, dbias of `conv2d`, computed when they are read."""
    if isinstance(saved, StridedSaved):
        dx, dweight, dbias = conv2d_backward(context, dy, weight, saved.inner, stride=1, padding=0, relu=relu)
        return _put_back(context, dx, saved), dweight, dbias
    if len(saved) == 2:
        function = context.reference.conv2d_backward
        result: tuple[Any, Any, Any] = on_arrays(
            context, function, dy, weight, saved, stride=stride, padding=padding, relu=relu
        )
        return result
    x, y, shape = saved
    p = convolution_plan(x, weight, stride, padding)
    g, output = flat(context, dy), flat(context, y) if relu else None
    mode = pictures.MASKED if relu else pictures.AS_IT_IS
    dx, dweight = _backward_job(context, x, weight, p, OutputGradient(mode, g, output))
    return dx, dweight, promise(context, (shape[3],), lambda: channel_sums(context, g, output, shape))


# ---------------------------------------------------------------------- convolution with normalisation
def conv_norm(
    context: Context,
    x: Any,
    weight: Array,
    scale: Array | None,
    shift: Array | None,
    *,
    stride: int,
    padding: int,
    eps: float,
    relu: bool,
) -> tuple[Any, Array, Array, Saved]:
    """Convolution, batch normalisation and, by option, ReLU: y, mean, var, saved. y is pending."""
    x = _of_whole_vectors(context, kernel_input(context, x))
    options: dict[str, Any] = {"eps": eps, "relu": relu}
    if not _fits_kernels(x, weight, scale, shift):
        options |= {"stride": stride, "padding": padding}
        result: tuple[Any, Array, Array, Saved] = on_arrays(
            context, context.reference.conv_norm, x, weight, scale, shift, **options
        )
        return result
    if _drops_pixels(x, weight, stride, padding):
        kept = _kept_pixels(context, x, stride)
        y, mean, var, inner = conv_norm(context, kept, weight, scale, shift, stride=1, padding=0, **options)
        return y, mean, var, StridedSaved(inner, x.shape, stride)
    p = convolution_plan(x, weight, stride, padding)
    _count_reader(x)
    of_phases = phases_plan(p.shape)
    raw, sums = forward_as_planned(context, x, weight, p, of_phases, statistics=True)
    done = of_phases or p
    expect_backward(context, done)
    count = p.shape.out_pixels
    of_raw = Sums(sums, done.forward.parts, count)
    norm = normalize(context, raw, of_raw, weight.shape[3], scale, shift, eps)
    y = Pending(_output_shape(x, weight, stride, padding), norm, relu)
    return y, norm.row(rows.MEAN), norm.row(rows.VARIANCE), (x, y, p)


def conv_norm_backward(
    context: Context,
    dy: Any,
    weight: Array,
    scale: Array | None,
    saved: Saved,
    *,
    stride: int,
    padding: int,
    relu: bool,
) -> tuple[Any, Any, Any, Any]:
    """Gradients dx, dweight, dscale, dshift of `conv_norm`, the first two computed when they are read."""
    if isinstance(saved, StridedSaved):
        dx, *others = conv_norm_backward(
            context, dy, weight, scale, saved.inner, stride=1, padding=0, relu=relu
        )
        return _put_back(context, dx, saved), *others
    if len(saved) == 2:
        function = context.reference.conv_norm_backward
        result: tuple[Any, Any, Any, Any] = on_arrays(
            context, function, dy, weight, scale, saved, stride=stride, padding=padding, relu=relu
        )
        return result
    x, y, p = saved
    g = masked_gradient(context, dy, y)
    count = p.shape.out_pixels
    dscale, dshift = normalize_backward(context, y.norm, g, count, scale)
    gradient = OutputGradient(pictures.AFFINE, g.flat, y.norm.raw, y.norm.coefficients)
    dx, dweight = _backward_job(context, x, weight, p, gradient)
    return dx, dweight, dscale, dshift


# ---------------------------------------------------------------------- what they have in common
def convolution_plan(x: Any, weight: Array, stride: int, padding: int) -> Plan:
    """The plan for training on this value."""
    return plan(convolution_shape(x, weight, stride, padding))


def convolution_shape(x: Any, weight: Array, stride: int, padding: int, forward_alone: bool = False) -> Shape:
    """The shape of convolving this value, as a kernel sees it."""
    n, h, w, c = x.shape
    kernel, k = weight.shape[0], weight.shape[-1]
    # Pictures from outside keep their few channels: a direct convolution reads any number.
    unpadded = isinstance(x, np.ndarray) and not whole(c)
    subsampled = isinstance(x, Pending) and isinstance(x.skip, Subsampled)
    if kernel == stride == 1 and not padding and not subsampled and not unpadded:
        # Pixels do not know their neighbours: they are cut into rows that suit the cache.
        n, h, w = pixel_rows(n * h * w, max(padded(c), padded(k)), forward_alone)
    return shape_of(n, h, w, c if unpadded else padded(c), padded(k), kernel, stride, padding)


def _of_whole_vectors(context: Context, x: Any) -> Any:
    """x, its channels padded with zeros where an array has more than a vector: few are read as they are."""
    if isinstance(x, np.ndarray) and x.ndim == 4 and x.shape[3] > padded(1) and kernels_accept(x):
        return x if whole(x.shape[3]) else Padded(x.shape, flat(context, x))
    return x


def _count_reader(x: Any) -> None:
    if isinstance(x, Pending):
        x.readers += 1


def _fits_kernels(x: Any, weight: Array, *others: Any) -> bool:
    return (
        kernels_accept(x, weight, *others)
        and isinstance(weight, np.ndarray)
        and weight.ndim == 4
        and len(x.shape) == 4
        and x.shape[3] == weight.shape[2]
        and x.shape[0] > 0
    )


def _output_shape(x: Any, weight: Array, stride: int, padding: int) -> tuple[int, ...]:
    high, wide = (output_size(side, weight.shape[0], stride, padding) for side in x.shape[1:3])
    return x.shape[0], high, wide, weight.shape[-1]


def _backward_job(
    context: Context, x: Any, weight: Array, p: Plan, gradient: OutputGradient
) -> tuple[Promise, Promise]:
    """Promises of dx and dweight, which one job keeps; it is run by whoever reads one of them first."""

    # What the activation's derivative has been multiplied into cannot be added to other readers' gradients.
    if isinstance(x, Pending) and x.activation is not None and not x.read_once:
        x = Padded(x.shape, flat(context, x))

    want_dweight, of_phases = not context.inputs_only, phases_plan(p.shape)

    def compute(skip: Any) -> tuple[Any, Any]:
        if of_phases is not None:
            dx, dweight = backward_by_phases(
                context, x, weight, p, of_phases, gradient, want_dweight=want_dweight
            )
            return Padded(x.shape, dx), dweight
        if whole(p.shape.c):
            dx, dweight = backward(context, x, weight, p, gradient, skip=skip, want_dweight=want_dweight)
            return dx if isinstance(dx, MaskedGradient) else Padded(x.shape, dx), dweight
        dweight = None
        if want_dweight:
            _, dweight = backward(context, x, weight, p, gradient, want_dx=False)
        # Nobody reads the gradient by the pictures themselves, as a rule: it waits.
        return promise(context, x.shape, input_gradient), dweight

    def input_gradient() -> Any:
        wide = Padded(x.shape, flat(context, x))
        plan_of_wide = convolution_plan(wide, weight, p.shape.stride, p.shape.padding)
        dx, _ = backward(context, wide, weight, plan_of_wide, gradient, want_dweight=want_dweight)
        return Padded(x.shape, dx)

    job = BackwardJob(compute, takes_skip=isinstance(x, Pending) and of_phases is None)
    return (
        promise(context, x.shape, lambda: job.run()[0], job),
        promise(context, weight.shape, lambda: job.run()[1]),
    )


# ---------------------------------------------------------------------- 1x1 convolutions with a stride
@dataclass(frozen=True, eq=False)
class StridedSaved:
    """What the way back of a strided 1x1 convolution needs: that of the one without a stride."""

    inner: Saved
    shape: tuple[int, ...]
    stride: int


def _drops_pixels(x: Any, weight: Array, stride: int, padding: int) -> bool:
    """Whether most pixels are never read: then those that are come first, and the stride is gone."""
    return stride > 1 and weight.shape[0] == 1 and padding == 0 and whole(x.shape[3])


def _kept_pixels(context: Context, x: Any, stride: int) -> Any:
    """The pixels that a 1x1 convolution with a stride reads."""
    if isinstance(x, Pending) and x.result is None and x.skip is None and x.activation is None:
        # A pooling whose windows are one pixel finishes them as it reads them.
        return average_pool(context, x, kernel=1, stride=stride, padding=0)[0]
    n, h, w, c = x.shape
    height, width = -(-h // stride), -(-w // stride)
    small = context.allocate(n * height * width * c)
    copy_strided(context, strides.take_out, x.shape, stride, flat(context, x), small)
    return small.reshape(n, height, width, c)


def _put_back(context: Context, dx: Any, saved: StridedSaved) -> Promise:
    """dx by the pixels that were kept, as the gradient by all of them."""
    return promise(context, saved.shape, lambda: SubsampledGradient(resolved(dx), saved.shape, saved.stride))
