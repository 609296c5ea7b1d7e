"""Vectors by their numbers' signs and sizes: what smooth activations need."""

from __future__ import annotations

from numba.extending import intrinsic

from residua.engines.numba.kernels.primitives.vector import VECTOR, WIDTH, call_named, vector


@intrinsic
def choose_above(typing, x, low, v, w):
    """v where x > low (or x is not a number), w elsewhere."""

    def emit(context, builder, sig, args):
        return builder.select(builder.fcmp_unordered(">", args[0], args[1]), args[2], args[3])

    return vector(vector, vector, vector, vector), emit


@intrinsic
def magnitude(typing, x):
    """The absolute value."""

    def emit(context, builder, sig, args):
        return call_named(builder, f"llvm.fabs.v{WIDTH}f32", VECTOR, args)

    return vector(vector), emit
