"""Numbers that several threads read and write, and ways to wait for them."""

from __future__ import annotations

import os

from llvmlite import ir

from residua.engines.numba.kernels.primitives.on_demand import intrinsic, types
from residua.engines.numba.kernels.primitives.vector import INT, X86, address, call_named


@intrinsic
def atomic_load(typing, board, i):
    """board[i], as it is now."""

    def emit(context, builder, sig, args):
        return builder.load_atomic(address(builder, *args, INT), "seq_cst", 8)

    return types.int64(types.int64, types.int64), emit


@intrinsic
def atomic_store(typing, board, i, value):
    """board[i] = value, seen by all."""

    def emit(context, builder, sig, args):
        builder.store_atomic(args[2], address(builder, *args[:2], INT), "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), emit


@intrinsic
def atomic_add(typing, board, i, value):
    """board[i] += value; the value before."""

    def emit(context, builder, sig, args):
        return builder.atomic_rmw("add", address(builder, *args[:2], INT), args[2], "seq_cst")

    return types.int64(types.int64, types.int64, types.int64), emit


@intrinsic
def swap(typing, board, i, old, new):
    """board[i] = new if it is still `old`: whether it was."""

    def emit(context, builder, sig, args):
        pair = builder.cmpxchg(address(builder, *args[:2], INT), args[2], args[3], "seq_cst")
        return builder.extract_value(pair, 1)

    return types.boolean(types.int64, types.int64, types.int64, types.int64), emit


@intrinsic
def pause(typing):
    """Tell the core that this is a waiting loop, where it can be told."""

    def emit(context, builder, sig, args):
        if X86:
            call_named(builder, "llvm.x86.sse2.pause", ir.VoidType(), [])
        return context.get_dummy_value()

    return types.void(), emit


@intrinsic
def offer_core(typing):
    """Let another thread run, where the system has a call for it."""

    def emit(context, builder, sig, args):
        if hasattr(os, "sched_yield"):
            call_named(builder, "sched_yield", ir.IntType(32), [])
        return context.get_dummy_value()

    return types.void(), emit
