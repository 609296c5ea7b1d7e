"""Single numbers in memory, and the small loops that all kernels share."""

from __future__ import annotations

import numpy as np
from llvmlite import ir

from residua.engines.numba.kernels.primitives.on_demand import intrinsic, types
from residua.engines.numba.kernels.primitives.vector import (
    DOUBLE,
    FLOAT,
    INT,
    WIDTH,
    address,
    inline,
    store,
    zero,
)


def _reader(name, element):
    @intrinsic
    def get(typing, a, i):
        def emit(context, builder, sig, args):
            return builder.load(address(builder, args[0], args[1], element))

        return getattr(types, name)(types.int64, types.int64), emit

    return get


def _writer(name, element):
    @intrinsic
    def put(typing, a, i, value):
        def emit(context, builder, sig, args):
            builder.store(args[2], address(builder, args[0], args[1], element))
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, getattr(types, name)), emit

    return put


get = _reader("float32", FLOAT)
put = _writer("float32", FLOAT)
get_double = _reader("float64", DOUBLE)
put_double = _writer("float64", DOUBLE)
get_int = _reader("int64", INT)
put_int = _writer("int64", INT)


@intrinsic
def unknown(typing, number):
    """The number itself, which the compiler must take for any: a constant would make it unroll too far."""

    def emit(context, builder, sig, args):
        # No instruction at all, on any processor: it only says that its result may differ from its input.
        return builder.asm(ir.FunctionType(INT, [INT]), "", "=r,0", [args[0]], False)

    return types.int64(types.int64), emit


@inline
def clear(a, count):
    """a[0 : count] = 0; count is a multiple of WIDTH."""
    for i in range(0, count, WIDTH):
        store(a, i, zero())


@inline
def part_of(count, part, parts):
    """The first picture of this part and of the next."""
    return count * part // parts, count * (part + 1) // parts


@inline
def flush(channels, sums, totals, first):
    """Move `channels` float sums into double ones, and begin anew: long sums of floats lose digits."""
    for k in range(channels):
        old = 0.0 if first else get_double(totals, k)
        put_double(totals, k, old + np.float64(get(sums, k)))
    clear(sums, channels)
