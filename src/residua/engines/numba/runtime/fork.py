"""Processes that fork: the child has one thread and copies of all locks, some held by threads that it lacks.

Before a fork our lock, Numba's and LLVM's are taken, so that no compiling is cut in two, and given back on
both sides. In the child whoever has `renew` begins anew: fresh locks and threads, nothing of what other
threads had half done. Compiled kernels stay.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from typing import Any, Protocol
from weakref import WeakSet

from llvmlite.binding import ffi

from residua.engines.numba.runtime.machine_code import LOCK
from residua.errors import EngineError

PATIENCE_SECONDS = 60.0  # a kernel is compiled within two


class Renewable(Protocol):
    """What has state that threads share."""

    def renew(self) -> None:
        """Begin anew, in a child that has just been forked."""


class _State(threading.local):
    """What a thread that forks has taken."""

    held: tuple[Any, ...] = ()


_renewed: WeakSet[Any] = WeakSet()
_state = _State()
_compiler_intact = True


def renew_in_child(of_process: Renewable) -> None:
    """Have this renewed in every child that is forked from now on, as long as it lives."""
    _renewed.add(of_process)


def check_compiler() -> None:
    """Raise EngineError where this process cannot load or compile a kernel."""
    if not _compiler_intact:
        raise EngineError(
            "this process was forked while another thread of its parent was compiling, and cannot compile by "
            "itself: fork before or after that, or start processes with multiprocessing's method 'spawn'"
        )


def _locks() -> Iterator[Any]:
    """Ours first: whoever holds it may be importing Numba."""
    yield LOCK
    numba = getattr(sys.modules.get("numba.core.compiler_lock"), "global_compiler_lock", None)
    library = getattr(ffi.lib, "_lock", None)
    yield from (lock for lock in (getattr(numba, "_lock", None), getattr(library, "_lock", None)) if lock)


def _before() -> None:
    _state.held = tuple(lock for lock in _locks() if lock.acquire(timeout=PATIENCE_SECONDS))


def _after_in_parent() -> None:
    held, _state.held = _state.held, ()
    for lock in reversed(held):
        lock.release()


def _after_in_child() -> None:
    global _compiler_intact
    _compiler_intact = _compiler_intact and len(_state.held) == len(list(_locks()))
    _after_in_parent()
    for of_process in list(_renewed):
        of_process.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
