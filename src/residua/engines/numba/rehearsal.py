"""Which kernels a job needs: its passes are done with nothing computed, and what is asked for is noted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from residua.engines.numba.engine import NumbaEngine
from residua.engines.numba.kernels.threads import task_board
from residua.engines.numba.runtime.kernel_cache import KernelCache
from residua.engines.numba.runtime.kernel_names import Kernel
from residua.engines.numba.runtime.thread_pool import ThreadPool


class _NotedKernels(KernelCache):
    """Kernels that are asked for, by the names of their files; none is loaded or compiled."""

    def __init__(self) -> None:
        super().__init__(say=lambda line: None, helped=False)
        self.files: dict[str, None] = {}

    def address(self, function: Kernel, literals: tuple[int, ...] = ()) -> int:
        self.files[self.file_of(function, literals)] = None
        return 0

    def will_need(self, function: Kernel, literals: tuple[int, ...] = ()) -> None:
        self.files[self.file_of(function, literals)] = None

    def entry(self, function: Kernel) -> Callable[..., None]:
        self.files[self.file_of(function)] = None
        return lambda *arguments: None


class _IdlePool(ThreadPool):
    """Threads that are never started."""

    def _wake(self) -> None:
        self._kernels.entry(task_board.serve)  # what they would run


def needed_kernels(passes: Callable[[Any], Any], threads: int) -> tuple[str, ...]:
    """The files of all kernels that these passes, on an engine, ask for; in the order in which they do.

    passes: gets the engine. What it computes are numbers that happen to lie in memory.
    """
    engine = NumbaEngine(threads)
    context, noted = engine.context, _NotedKernels()
    context.kernels, context.thread_pool = noted, _IdlePool(threads, noted)
    with np.errstate(all="ignore"):
        passes(engine)
    return tuple(noted.files)
