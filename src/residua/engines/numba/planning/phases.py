"""Whether a convolution with a stride is computed as one without, over its phases."""

from __future__ import annotations

from functools import lru_cache

from residua.engines.numba.kernels.pictures.shape import Shape
from residua.engines.numba.kernels.winograd.many_channels import tile_count
from residua.engines.numba.planning.convolution import MANY, STRAIGHT, TRANSFORMING, forward_plan, plan
from residua.engines.numba.planning.plan import IM2COL, Plan

LEAST_TAPS = 3  # with fewer, transforms of four times the channels take what their products save


@lru_cache(maxsize=1024)
def phases_plan(shape: Shape) -> Plan | None:
    """The plan of the convolution without a stride that does for this one (`kernels.pictures.phases`).

    None where that does not pay: no transform for kernels of so many taps, weights that are not gathered, or
    more multiplications.
    """
    if shape.stride == 1 or plan(shape).method != IM2COL:
        return None
    taps = -(-shape.kernel // shape.stride)
    if taps < LEAST_TAPS:
        return None
    inner = shape._replace(
        height=shape.out_height + taps - 1,
        width=shape.out_width + taps - 1,
        c=shape.stride**2 * shape.c,
        kernel=taps,
        stride=1,
        padding=0,
    )
    p = plan(inner)
    if not p.many_channels:
        return None
    transformed = shape.stride**2 * (p.along**2 * tile_count(inner, p.tile) + TRANSFORMING)
    return p if transformed < STRAIGHT * shape.kernel**2 * shape.out_pixels else None


@lru_cache(maxsize=1024)
def phases_forward_plan(shape: Shape) -> Plan | None:
    """That plan for the way forward without sums, of weights that are not kept: the same for any batch."""
    p = phases_plan(shape._replace(batch=MANY))
    return None if p is None else forward_plan(p.shape._replace(batch=shape.batch), kept=False)
