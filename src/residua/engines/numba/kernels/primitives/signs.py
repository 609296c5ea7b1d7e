"""Vectors by their numbers' signs and sizes: what smooth activations need."""

from __future__ import annotations

from residua.engines.numba.kernels.primitives.on_demand import intrinsic, types
from residua.engines.numba.kernels.primitives.vector import VECTOR, WIDTH, call_named


@intrinsic
def choose_above(typing, x, low, v, w):
    """v where x > low (or x is not a number), w elsewhere."""

    def emit(context, builder, sig, args):
        return builder.select(builder.fcmp_unordered(">", args[0], args[1]), args[2], args[3])

    return types.vector(types.vector, types.vector, types.vector, types.vector), emit


@intrinsic
def magnitude(typing, x):
    """The absolute value."""

    def emit(context, builder, sig, args):
        return call_named(builder, f"llvm.fabs.v{WIDTH}f32", VECTOR, args)

    return types.vector(types.vector), emit
