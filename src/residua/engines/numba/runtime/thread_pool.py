"""The threads of one engine: started, woken, put to sleep. What they do: `kernels.threads.task_board`."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from residua.engines.numba.kernels.threads import task_board
from residua.engines.numba.kernels.threads.task_board import AWAKE, LINE, SCRATCH, STOP
from residua.engines.numba.runtime.buffers import Block, Chunks
from residua.engines.numba.runtime.buffers import address as address_of
from residua.engines.numba.runtime.kernel_cache import KernelCache


class ThreadPool:
    """The threads of one engine. Between steps (`with thread_pool:`) the workers sleep, after a moment.

    Inside `with thread_pool:` the calling thread has the pool for itself; another one waits at the door.
    """

    def __init__(self, threads: int, kernels: KernelCache) -> None:
        self.threads = threads
        self._kernels = kernels
        self._board = np.zeros((SCRATCH // LINE + threads) * LINE, np.int64)
        self._board_address = address_of(self._board)
        self._scratch: list[Block] = []
        self._reserved = 0
        self._task = 0
        self.lock = threading.RLock()
        self._depth = self._owner = 0
        self._process = 0
        self._wake_signals: list[threading.Semaphore] = []
        self._submit: Any = None
        self._submit_many: Any = None
        self._finalizer = weakref.finalize(self, lambda: None)

    def renew(self) -> bool:
        """In a forked child: without the threads, and without what others were doing; whether it is so.

        A thread that forks in the middle of a step of its own goes on with it.
        """
        self._finalizer.detach()
        self._finalizer = weakref.finalize(self, lambda: None)
        if self.lock._is_owned():  # type: ignore[attr-defined]
            return False
        self.lock = threading.RLock()
        self._depth = self._owner = 0
        self._board = np.zeros_like(self._board)
        self._board_address = address_of(self._board)
        self._place_scratch()
        return True

    def reserve(self, floats: int) -> None:
        """Give every thread a scratch of at least that many floats."""
        if floats <= self._reserved:
            return
        self._reserved = floats
        chunks = Chunks()
        # A page apart: the threads' places must not share lines of the cache that they both use.
        self._scratch = [chunks.cut(4 * floats + 4096) for _ in range(self.threads)]
        self._place_scratch()

    def _place_scratch(self) -> None:
        for thread, block in enumerate(self._scratch):
            self._board[SCRATCH + thread * LINE] = block.address

    def run(self, function: int, literals: Sequence[int], arguments: Any, parts: int) -> None:
        """Do all parts of one kernel. `arguments` is its block; it stays alive until the kernel is done."""
        with self.lock:
            self._task += 1
            if self._submit is None:
                self._submit = self._kernels.entry(task_board.submit)
            self._submit(self._board_address, function, *literals, address_of(arguments), parts, self._task)

    def run_many(self, table: Any) -> None:
        """Do many kernels. `table`: (kernels, 7) int64, see `task_board.submit_many`."""
        with self.lock:
            if self._submit_many is None:
                self._submit_many = self._kernels.entry(task_board.submit_many)
            self._submit_many(self._board_address, address_of(table), len(table), self._task + 1)
            self._task += len(table)

    @property
    def in_step(self) -> bool:
        """Whether the calling thread is inside of a step."""
        return self._depth > 0 and self._owner == threading.get_ident()

    def __enter__(self) -> ThreadPool:
        self.lock.acquire()
        try:
            self._owner = threading.get_ident()
            if self._depth == 0 and self.threads > 1:
                self._wake()
            self._depth += 1
        except BaseException:  # an interrupt
            self.lock.release()
            raise
        return self

    def _wake(self) -> None:
        if self._process != os.getpid():
            self._start_workers()
        self._board[STOP] = 0
        for number, wake in enumerate(self._wake_signals, start=1):
            if not self._board[SCRATCH + number * LINE + AWAKE]:
                wake.release()

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._board[STOP] = 1
        self.lock.release()

    def _start_workers(self) -> None:
        # Threads do not survive a fork; the child starts its own.
        self._wake_signals = [threading.Semaphore(0) for _ in range(self.threads - 1)]
        loop = self._kernels.entry(task_board.serve)
        quitting = threading.Event()
        for number, wake in enumerate(self._wake_signals, start=1):
            place = SCRATCH + number * LINE
            self._board[place + AWAKE] = 0
            worker = threading.Thread(
                target=_work, args=(loop, self._board, place, wake, quitting), name="residua", daemon=True
            )
            worker.start()
        self._finalizer.detach()
        self._finalizer = weakref.finalize(self, _stop_workers, self._board, self._wake_signals, quitting)
        self._process = os.getpid()


def _work(loop: Any, board: Any, place: int, wake: threading.Semaphore, quitting: threading.Event) -> None:
    while True:
        wake.acquire()
        if quitting.is_set():
            return
        loop(address_of(board), place)


def _stop_workers(board: Any, wake_signals: list[threading.Semaphore], quitting: threading.Event) -> None:
    quitting.set()
    board[STOP] = 1
    for wake in wake_signals:
        wake.release()
