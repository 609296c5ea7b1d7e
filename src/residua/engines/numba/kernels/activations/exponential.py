"""The exponential of vectors, in a dozen instructions.

exp(x) = 2^n exp(r) with n = round(x / log 2), r = x - n log 2, whose product is taken off in two pieces
(Cody and Waite 1980, "Software Manual for the Elementary Functions", chapter 6), and exp(r) by a
polynomial: our own minimax fit, 3.3e-9 of exp(r) away. Measured over all exponents: 1 unit in the last
place of float32 at most.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir

from residua.engines.numba.kernels.primitives.on_demand import intrinsic, types
from residua.engines.numba.kernels.primitives.vector import (
    LANES,
    VECTOR,
    fma,
    inline,
    splat,
    where_above,
)

PER_LOG_2 = np.float32(1.4426950408889634)
LOG_2_HIGH = np.float32(0.693359375)  # whose product with n is exact
LOG_2_LOW = np.float32(-2.1219444005469057e-04)
# Added and taken off again, it rounds to a whole number, which the sum's last bits then hold.
ROUND = np.float32(1.5 * 2**23)
LEAST = np.float32(-87.0)  # below, zero: the result would be no normal number
# (exp(r) - 1 - r) / r²
C0 = np.float32(0.499999930507123)
C1 = np.float32(0.16666514791278259)
C2 = np.float32(0.041668456789800565)
C3 = np.float32(0.008369418846526488)
C4 = np.float32(0.0013813144393459782)


@intrinsic
def times_power(typing, x, n):
    """x 2^n for the whole number n in the last bits of a float."""

    def emit(context, builder, sig, args):
        x, n = (builder.bitcast(value, LANES) for value in args)
        n = builder.shl(n, ir.Constant(LANES, [23] * LANES.count))
        return builder.bitcast(builder.add(x, n), VECTOR)

    return types.vector(types.vector, types.vector), emit


@inline
def exponential(x):
    """exp(x) of numbers up to 88; zero below -87."""
    shifted = fma(x, splat(PER_LOG_2), splat(ROUND))
    n = shifted - splat(ROUND)
    r = fma(n, splat(-LOG_2_LOW), fma(n, splat(-LOG_2_HIGH), x))
    p = fma(splat(C4), r, splat(C3))
    p = fma(p, r, splat(C2))
    p = fma(p, r, splat(C1))
    p = fma(p, r, splat(C0))
    p = fma(p * r, r, r) + splat(np.float32(1))
    return where_above(x, splat(LEAST), times_power(p, shifted))
