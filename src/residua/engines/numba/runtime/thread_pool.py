"""Threads that share the parts of one kernel after another, at a microsecond each.

A step calls a hundred kernels, some of them a few microseconds long, so handing one out must cost next to
nothing. The workers stay inside one compiled loop, without the interpreter's lock, and watch a number in
memory, the ticket: which task it is, and the next part to take. Taking a part is one compare-and-swap. The
calling thread takes parts as well and returns when all are done; so a worker that is late, asleep, or gone
(after a fork) costs time but never an answer, and a core that somebody else uses gets fewer parts.

Which thread does a part never matters: the parts are a fixed division of the work, each with sums of its
own. Results are the same for any number of threads.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from residua.engines.numba.kernels.primitives.atomics import (
    atomic_add,
    atomic_load,
    atomic_store,
    offer_core,
    pause,
    swap,
)
from residua.engines.numba.kernels.primitives.denormals import FLUSH, floating_mode, set_floating_mode
from residua.engines.numba.kernels.primitives.scalars import get_int
from residua.engines.numba.kernels.primitives.vector import INT, address, inline
from residua.engines.numba.runtime.kernel_cache import Kernels
from residua.engines.numba.runtime.memory import Block, Chunks
from residua.engines.numba.runtime.memory import address as address_of

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


def submit(board, function, l0, l1, l2, l3, arguments, parts, task):
    """One task."""
    mode = floating_mode()
    set_floating_mode(mode | FLUSH)
    hand_out(board, function, l0, l1, l2, l3, arguments, parts, task)
    set_floating_mode(mode)


def play(board, table, count, task):
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


SERVE, SUBMIT, PLAY = (types.int64,) * 2, (types.int64,) * 9, (types.int64,) * 4


class Team:
    """The threads of one engine. Between steps (`with team:`) the workers sleep, after a moment.

    Inside `with team:` the calling thread has the team for itself; another one waits at the door.
    """

    def __init__(self, threads: int, kernels: Kernels) -> None:
        self.threads = threads
        self._kernels = kernels
        self._board = np.zeros((SCRATCH // LINE + threads) * LINE, np.int64)
        self._at = address_of(self._board)
        self._scratch: list[Block] = []
        self._reserved = 0
        self._task = 0
        self.lock = threading.RLock()
        self._depth = self._owner = 0
        self._process = 0
        self._doors: list[threading.Semaphore] = []
        self._submit: Any = None
        self._play: Any = None
        self._end = weakref.finalize(self, lambda: None)

    def reserve(self, floats: int) -> None:
        """Give every thread a scratch of at least that many floats."""
        if floats <= self._reserved:
            return
        self._reserved = floats
        chunks = Chunks()
        # A page apart: the threads' places must not share lines of the cache that they both use.
        self._scratch = [chunks.cut(4 * floats + 4096) for _ in range(self.threads)]
        for thread, block in enumerate(self._scratch):
            self._board[SCRATCH + thread * LINE] = block.at

    def run(self, function: int, literals: Sequence[int], arguments: Any, parts: int) -> None:
        """Do all parts of one kernel. `arguments` is its block; it stays alive until the kernel is done."""
        with self.lock:
            self._task += 1
            if self._submit is None:
                self._submit = self._kernels.entry(submit, SUBMIT)
            self._submit(self._at, function, *literals, address_of(arguments), parts, self._task)

    def play(self, table: Any) -> None:
        """Do many kernels. `table`: (kernels, 7) int64, see the function of that name."""
        with self.lock:
            if self._play is None:
                self._play = self._kernels.entry(play, PLAY)
            self._play(self._at, address_of(table), len(table), self._task + 1)
            self._task += len(table)

    @property
    def at_work(self) -> bool:
        """Whether the calling thread is inside of a step."""
        return self._depth > 0 and self._owner == threading.get_ident()

    def __enter__(self) -> Team:
        self.lock.acquire()
        self._owner = threading.get_ident()
        self._depth += 1
        if self._depth == 1 and self.threads > 1:
            if self._process != os.getpid():
                self._hire()
            self._board[STOP] = 0
            for number, door in enumerate(self._doors, start=1):
                if not self._board[SCRATCH + number * LINE + AWAKE]:
                    door.release()
        return self

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._board[STOP] = 1
        self.lock.release()

    def _hire(self) -> None:
        # Threads do not survive a fork; the child hires its own.
        self._process = os.getpid()
        self._doors = [threading.Semaphore(0) for _ in range(self.threads - 1)]
        loop = self._kernels.entry(serve, SERVE)
        quitting = threading.Event()
        for number, door in enumerate(self._doors, start=1):
            place = SCRATCH + number * LINE
            self._board[place + AWAKE] = 0
            worker = threading.Thread(
                target=_work, args=(loop, self._board, place, door, quitting), name="residua", daemon=True
            )
            worker.start()
        self._end.detach()
        self._end = weakref.finalize(self, _dismiss, self._board, self._doors, quitting)


def _work(loop: Any, board: Any, place: int, door: threading.Semaphore, quitting: threading.Event) -> None:
    while True:
        door.acquire()
        if quitting.is_set():
            return
        loop(address_of(board), place)


def _dismiss(board: Any, doors: list[threading.Semaphore], quitting: threading.Event) -> None:
    quitting.set()
    board[STOP] = 1
    for door in doors:
        door.release()
