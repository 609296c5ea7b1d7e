"""Denormal numbers taken as zero while kernels run.

A float32 below 1.2e-38 is denormal: it has fewer digits, and many processors leave their circuits for
microcode to reckon with it, a hundred times slower. Nothing that a network learns hangs on numbers so
small, so a thread that runs kernels takes them for zero, read or written, and afterwards goes back to what
its owner had set: NumPy's results in the same process stay as they are. Where there is no such switch, all
is computed to the last digit.
"""

from __future__ import annotations

from llvmlite import ir

from residua.engines.numba.kernels.primitives.on_demand import intrinsic, types
from residua.engines.numba.kernels.primitives.vector import ARM, INT, X86, call_named

BYTE = ir.IntType(8).as_pointer()
# Intel 64 and IA-32 Architectures Software Developer's Manual, volume 1, 10.2.3: MXCSR's bit 15 makes results
# zero (FTZ), bit 6 what is read (DAZ). Arm Architecture Reference Manual, FPCR: bit 24 does both.
FLUSH = (1 << 15 | 1 << 6) if X86 else 1 << 24


@intrinsic
def floating_mode(typing):
    """How this thread's core treats numbers with a point, as an integer."""

    def emit(context, builder, sig, args):
        if X86:
            pointer = builder.alloca(ir.IntType(32))
            call_named(builder, "llvm.x86.sse.stmxcsr", ir.VoidType(), [builder.bitcast(pointer, BYTE)])
            return builder.zext(builder.load(pointer), INT)
        return call_named(builder, "llvm.aarch64.get.fpcr", INT, []) if ARM else INT(0)

    return types.int64(), emit


@intrinsic
def set_floating_mode(typing, mode):
    """Have them treated so from here on."""

    def emit(context, builder, sig, args):
        if X86:
            pointer = builder.alloca(ir.IntType(32))
            builder.store(builder.trunc(args[0], ir.IntType(32)), pointer)
            call_named(builder, "llvm.x86.sse.ldmxcsr", ir.VoidType(), [builder.bitcast(pointer, BYTE)])
        elif ARM:
            call_named(builder, "llvm.aarch64.set.fpcr", ir.VoidType(), [args[0]])
        return context.get_dummy_value()

    return types.void(types.int64), emit
