"""Compiled kernels called from others by their address."""

from __future__ import annotations

from llvmlite import ir

from residua.engines.numba.kernels.primitives.on_demand import cgutils, intrinsic, types
from residua.engines.numba.kernels.primitives.vector import INT


@intrinsic
def call_row(typing, function, source, scale, shift, channels, target, count, other):
    """Run the kernel at this address on seven numbers; what they are, `activations.gelu` says."""

    def emit(context, builder, sig, args):
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.IntType(32), [byte.as_pointer(), byte.as_pointer(), *[INT] * 7])
        # In the first block, once: a kernel that calls in a loop would use up its stack.
        result, error = (cgutils.alloca_once(builder, byte) for _ in range(2))
        builder.call(builder.inttoptr(args[0], kind.as_pointer()), [result, error, *args[1:]])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 8), emit
