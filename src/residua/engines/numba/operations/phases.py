"""The way back of a convolution with a stride as that of one without, over its phases.

See `kernels.pictures.phases`; where that pays, `planning.phases.phases_plan` says.
"""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from residua.engines.numba.kernels.pictures import phases
from residua.engines.numba.kernels.pictures.shape import Shape
from residua.engines.numba.lazy.materialize import flat
from residua.engines.numba.operations.convolution_backward import OutputGradient, backward
from residua.engines.numba.operations.weight_transforms import padded_weight
from residua.engines.numba.planning.plan import Plan
from residua.engines.numba.runtime.arrays import fitted
from residua.engines.numba.runtime.buffers import address as address_of
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
    taps, count = inner.kernel, s.kernel * s.kernel * s.c * s.k
    apart = context.allocate(inner.pixels * inner.c)
    _run(context, phases.take_apart, s, inner, flat(context, x), apart)
    # The kernel is a picture of its taps, each of which has c * k numbers.
    as_picture = s._replace(batch=1, height=s.kernel, width=s.kernel, c=s.c * s.k, padding=0)
    as_phases = inner._replace(batch=1, height=taps, width=taps)
    wide = context.allocate(taps * taps * inner.c * s.k)
    pixels = padded_weight(context, weight, s.c, s.k)
    _run(context, phases.take_apart, as_picture, as_phases, pixels, wide)
    dx, dweight = backward(
        context,
        apart.reshape(inner.batch, inner.height, inner.width, inner.c),
        wide.reshape(taps, taps, inner.c, s.k),
        of_phases,
        gradient,
        want_dweight=want_dweight,
    )
    together = context.allocate(s.pixels * s.c)
    _run(context, phases.put_together, s, inner, together, dx)
    if not want_dweight:
        return together, None
    narrow = context.allocate(count)
    _run(context, phases.put_together, as_picture, as_phases, narrow, dweight.reshape(-1))
    of_weight = narrow.reshape(s.kernel, s.kernel, s.c, s.k)
    return together, fitted(context, of_weight, *weight.shape)


def _run(context: Context, kernel: Any, s: Shape, inner: Shape, pictures: Array, apart: Array) -> None:
    rows = inner.height if kernel is phases.take_apart else s.height
    parts = min(MOST_PARTS, s.batch * rows)
    block = phases.Phases(
        parts, s.batch, s.height, s.width, s.c, s.stride, s.padding, inner.height, inner.width,
        address_of(pictures), address_of(apart),
    )  # fmt: skip
    context.run(suited(kernel, s.c), block, parts)
