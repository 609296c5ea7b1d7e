"""A kernel's arguments: its block of int64 numbers, read as a named tuple.

A class of named tuples says once which number lies where: the host makes one, the kernel reads one. A field
of the type `Double` is a float64, which the host puts in by `context.double`.
"""

from __future__ import annotations

from typing import NewType, get_type_hints

from residua.engines.numba.kernels.primitives.on_demand import intrinsic, types
from residua.engines.numba.kernels.primitives.vector import DOUBLE, INT, address

Double = NewType("Double", int)  # a float64, as its bits lie in a block


def reader(kind, first=0):
    """A function that reads a block's numbers, from the one numbered `first` on, as a `kind`."""

    @intrinsic
    def read(typing, args):
        floating = [annotation is Double for annotation in get_type_hints(kind).values()]
        if any(floating):
            numbers = [types.float64 if double else types.int64 for double in floating]
            result = types.NamedTuple(numbers, kind)
        else:
            result = types.NamedUniTuple(types.int64, len(floating), kind)

        def emit(context, builder, sig, args):
            values = [
                builder.load(address(builder, args[0], first + number, DOUBLE if double else INT))
                for number, double in enumerate(floating)
            ]
            return context.make_tuple(builder, result, values)

        return result(types.int64), emit

    return read
