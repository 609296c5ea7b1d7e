"""A convolution with a stride as one without, over its phases.

See `kernels.pictures.phases`; where that pays, `planning.phases.phases_plan` says.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from residua.engines.numba.kernels.pictures import phases
from residua.engines.numba.kernels.pictures.shape import Shape
from residua.engines.numba.lazy.materialize import flat
from residua.engines.numba.operations.convolution_backward import OutputGradient, backward
from residua.engines.numba.operations.convolution_forward import forward
from residua.engines.numba.operations.weight_transforms import padded_weight
from residua.engines.numba.planning.convolution import forward_plan
from residua.engines.numba.planning.phases import phases_forward_plan
from residua.engines.numba.planning.plan import Plan
from residua.engines.numba.runtime.arrays import fitted
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.buffers import nobody_writes
from residua.engines.numba.runtime.context import Context
from residua.engines.numba.runtime.layout import MOST_PARTS, suited

Array = NDArray[Any]


def backward_by_phases(
    context: Context,
    x: Any,
    weight: Array,
    p: Plan,
    of_phases: Plan,
    gradient: OutputGradient,
    *,
    want_dweight: bool,
) -> tuple[Array, Array | None]:
    """dx, flat, and dweight of the convolution `p`, computed as `of_phases`."""
    s, inner = p.shape, of_phases.shape
    dx, dweight = backward(
        context,
        *_taken_apart(context, x, weight, s, inner),
        of_phases,
        gradient,
        want_dweight=want_dweight,
    )
    together = context.allocate(s.pixels * s.c)
    _run(context, phases.put_together, s, inner, together, dx)
    if not want_dweight:
        return together, None
    narrow = context.allocate(s.kernel * s.kernel * s.c * s.k)
    _run(context, phases.put_together, *_kernel_as_picture(s, inner), narrow, dweight.reshape(-1))
    of_weight = narrow.reshape(s.kernel, s.kernel, s.c, s.k)
    return together, fitted(context, of_weight, *weight.shape)


def forward_plans(weight: Array, shape: Shape) -> tuple[Plan, Plan | None]:
    """How a convolution without sums is computed; and how over its phases, where it is.

    Weights that stay what they are do better gathered: one picture takes longer to read transforms, which are
    larger, than they save.
    """
    kept = nobody_writes(weight)
    return forward_plan(shape, kept), None if kept else phases_forward_plan(shape)


def forward_as_planned(
    context: Context, x: Any, weight: Array, p: Plan, of_phases: Plan | None, **options: Any
) -> tuple[Array, Any]:
    """`convolution_forward.forward` of the convolution `p`, computed as `of_phases` where there is one."""
    if of_phases is None:
        return forward(context, x, weight, p, **options)
    apart = _taken_apart(context, x, weight, p.shape, of_phases.shape)
    return forward(context, *apart, of_phases, passing=True, **options)


def _taken_apart(context: Context, x: Any, weight: Array, s: Shape, inner: Shape) -> tuple[Array, Array]:
    """The phases of x, and of the weight, as the convolution without a stride reads them."""
    apart = context.allocate(inner.pixels * inner.c)
    _run(context, phases.take_apart, s, inner, flat(context, x), apart)
    wide = context.allocate(inner.kernel**2 * inner.c * s.k)
    pixels = padded_weight(context, weight, s.c, s.k)
    _run(context, phases.take_apart, *_kernel_as_picture(s, inner), pixels, wide)
    return (
        apart.reshape(inner.batch, inner.height, inner.width, inner.c),
        wide.reshape(inner.kernel, inner.kernel, inner.c, s.k),
    )


def _kernel_as_picture(s: Shape, inner: Shape) -> tuple[Shape, Shape]:
    """The kernel is a picture of its taps, each of which has c * k numbers; and so it is in phases."""
    whole = s._replace(batch=1, height=s.kernel, width=s.kernel, c=s.c * s.k, padding=0)
    return whole, inner._replace(batch=1, height=inner.kernel, width=inner.kernel)


def _run(context: Context, kernel: Any, s: Shape, inner: Shape, pictures: Array, apart: Array) -> None:
    rows = inner.height if kernel is phases.take_apart else s.height
    parts = min(MOST_PARTS, s.batch * rows)
    block = phases.Phases(
        parts, s.batch, s.height, s.width, s.c, s.stride, s.padding, inner.height, inner.width,
        address_of(pictures), address_of(apart),
    )  # fmt: skip
    context.run(suited(kernel, s.c), block, parts)
