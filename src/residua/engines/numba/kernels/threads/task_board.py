"""Threads that share the parts of one kernel after another, at a microsecond each: the compiled loops.

A step calls a hundred kernels, some of them a few microseconds long, so handing one out must cost next to
nothing. The workers stay inside one compiled loop, without the interpreter's lock, and watch a number in
memory, the ticket: which task it is, and the next part to take. Taking a part is one compare-and-swap. The
calling thread takes parts as well and returns when all are done; so a worker that is late, asleep, or gone
(after a fork) costs time but never an answer, and a core that somebody else uses gets fewer parts.

Which thread does a part never matters: the parts are a fixed division of the work, each with sums of its
own. Results are the same for any number of threads.
"""

from __future__ import annotations

from llvmlite import ir

from residua.engines.numba.kernels.primitives.atomics import (
    atomic_add,
    atomic_load,
    atomic_store,
    offer_core,
    pause,
    swap,
)
from residua.engines.numba.kernels.primitives.denormals import FLUSH, floating_mode, set_floating_mode
from residua.engines.numba.kernels.primitives.entries import entry
from residua.engines.numba.kernels.primitives.on_demand import intrinsic, types
from residua.engines.numba.kernels.primitives.scalars import get_int
from residua.engines.numba.kernels.primitives.vector import INT, address, inline

# Places on the board, each on a cache line of its own.
TICKET, FINISHED, STOP, TASK, SCRATCH = 0, 16, 32, 48, 64
FUNCTION, ARGUMENTS, PARTS, LITERALS = TASK, TASK + 1, TASK + 2, TASK + 3
LINE = 16
NUMBER = 2**32 - 1
AWAKE = 1  # behind the place of a thread's scratch: whether it watches the board
PATIENCE = 20_000  # turns of waiting, about a millisecond, before a thread offers its core to others
LINGER = 2_000  # turns that a worker waits for the next step before it sleeps: waking takes half as long


@intrinsic
def call(typing, function, board, part, scratch):
    """Run the task's kernel: the native form of a compiled function of seven numbers without result."""

    def emit(context, builder, sig, args):
        byte = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.IntType(32), [byte.as_pointer(), byte.as_pointer(), *[INT] * 7])
        result, error = builder.alloca(byte), builder.alloca(byte)
        literals = [builder.load(address(builder, args[1], LITERALS + i, INT)) for i in range(4)]
        arguments = builder.load(address(builder, args[1], ARGUMENTS, INT))
        builder.call(
            builder.inttoptr(args[0], kind.as_pointer()),
            [result, error, *literals, arguments, args[2], args[3]],
        )
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), emit


@inline
def take_parts(board, scratch):
    """Do parts of the present task until none is left to take; the ticket then."""
    while True:
        ticket = atomic_load(board, TICKET)
        number = ticket & NUMBER
        # Read before the swap: if that succeeds, the task was still this one.
        function, parts = get_int(board, FUNCTION), get_int(board, PARTS)
        if number >= parts:
            return ticket
        if swap(board, TICKET, ticket, ticket + 1):
            call(function, board, number, scratch)
            atomic_add(board, FINISHED, 1)


@entry
def serve(board, place):
    """A worker's life during a step: take parts, wait for the next task, until told to stop."""
    set_floating_mode(floating_mode() | FLUSH)
    atomic_store(board, place + AWAKE, 1)
    while True:
        while atomic_load(board, STOP) == 0:
            ticket = take_parts(board, get_int(board, place))
            turns = 0
            while atomic_load(board, TICKET) == ticket and atomic_load(board, STOP) == 0:
                pause()
                turns += 1
                if turns > PATIENCE:
                    offer_core()
        turns = 0
        while atomic_load(board, STOP) != 0 and turns < LINGER:
            pause()
            turns += 1
        if turns < LINGER:
            continue
        # Said before the last look: a step that begins now wakes the worker, or is seen by it.
        atomic_store(board, place + AWAKE, 0)
        if atomic_load(board, STOP) != 0:
            return
        atomic_store(board, place + AWAKE, 1)


@inline
def hand_out(board, function, l0, l1, l2, l3, arguments, parts, task):
    """Hand out a task, work on it, return when it is done."""
    # Close the ticket first: a worker that still holds the old one must not meet the new task's parts.
    atomic_store(board, TICKET, task << 32 | NUMBER)
    atomic_store(board, FINISHED, 0)
    atomic_store(board, FUNCTION, function)
    atomic_store(board, ARGUMENTS, arguments)
    atomic_store(board, PARTS, parts)
    atomic_store(board, LITERALS, l0)
    atomic_store(board, LITERALS + 1, l1)
    atomic_store(board, LITERALS + 2, l2)
    atomic_store(board, LITERALS + 3, l3)
    atomic_store(board, TICKET, task << 32)
    take_parts(board, get_int(board, SCRATCH))
    turns = 0
    while atomic_load(board, FINISHED) != parts:
        pause()
        turns += 1
        if turns > PATIENCE:
            offer_core()


@entry
def submit(board, function, l0, l1, l2, l3, arguments, parts, task):
    """One task."""
    mode = floating_mode()
    set_floating_mode(mode | FLUSH)
    hand_out(board, function, l0, l1, l2, l3, arguments, parts, task)
    set_floating_mode(mode)


@entry
def submit_many(board, table, count, task):
    """Many tasks, one after the other. `table`: rows of function, four literals, arguments, parts."""
    mode = floating_mode()
    set_floating_mode(mode | FLUSH)
    for i in range(count):
        row = table + 56 * i
        hand_out(
            board,
            get_int(row, 0),
            get_int(row, 1),
            get_int(row, 2),
            get_int(row, 3),
            get_int(row, 4),
            get_int(row, 5),
            get_int(row, 6),
            task + i,
        )
    set_floating_mode(mode)
