"""Processes of this machine that answer parts, each of which may be killed at any moment."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_for_end
from multiprocessing.process import BaseProcess

from residua.bulk.answering import Answered, Part, answer
from residua.bulk.manifest import Asked


class LocalWorkers:
    """So many processes with one part each: one process to a pool, whose death tells which part it had."""

    def __init__(self, count: int, asked: Asked) -> None:
        self.sharers = count
        self._asked = asked
        self._idle: list[ProcessPoolExecutor | None] = [None] * count
        self._begun: set[BaseProcess] = set()
        self._busy: dict[Future[Answered], tuple[Part, ProcessPoolExecutor]] = {}

    @property
    def free(self) -> int:
        """How many more parts can be given out."""
        return len(self._idle)

    def give(self, part: Part) -> None:
        """Have a part answered."""
        pool = self._idle.pop() or _pool()
        before = set(multiprocessing.active_children())
        try:
            future = pool.submit(answer, self._asked, part)
        except BrokenProcessPool:  # killed while it had nothing to do
            pool = _pool()
            future = pool.submit(answer, self._asked, part)
        self._begun |= set(multiprocessing.active_children()) - before
        self._busy[future] = part, pool

    def finished(self) -> Iterator[tuple[Part, Answered | None]]:
        """Parts that are answered, once there are some; None for one whose process ended.

        Raises as `answer`.
        """
        done, _ = wait(self._busy, return_when=FIRST_COMPLETED)
        for future in done:
            part, pool = self._busy.pop(future)
            try:
                answered = future.result()
            except BrokenProcessPool:
                pool.shutdown(wait=False)
                self._idle.append(None)
                yield part, None
            else:
                self._idle.append(pool)
                yield part, answered

    def close(self) -> None:
        """End them all, whatever they are doing."""
        pools = [pool for pool in self._idle if pool is not None]
        for pool in [*pools, *(pool for _, pool in self._busy.values())]:
            pool.shutdown(wait=False, cancel_futures=True)
        for process in self._begun if self._busy else ():
            process.kill()


def _pool() -> ProcessPoolExecutor:
    # Spawned: a fork of a process with threads may stand still.
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(1, mp_context=context, initializer=_begin)


def _begin() -> None:
    """In a worker: Ctrl-C is its parent's to hear, and without that it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        sentinel = parent.sentinel
        threading.Thread(target=lambda: (wait_for_end([sentinel]), os._exit(1)), daemon=True).start()
