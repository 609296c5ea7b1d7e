"""Engines kept from one small job to the next: to open one takes longer than to answer a picture."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from residua.cores import available_cores
from residua.engines import choose_engine, open_engine
from residua.engines.estimate import Work
from residua.engines.vocabulary.core import Engine

MOST_IDLE = 8  # engines of one kind that wait for work
MOST_BYTES = 2**28  # that an idle engine may hold; one that holds more is dropped

_Key = tuple[str, int]
_idle: defaultdict[_Key, list[Engine]] = defaultdict(list)
_lock = threading.Lock()
_of_parents: list[object] = []


@contextmanager
def borrow_engine(
    name: str = "auto", *, threads: int | None = None, work: float | Work = 0.0
) -> Iterator[Engine]:
    """An engine as `open_engine` opens it, for the `with` statement alone; nobody else has it meanwhile.

    One that has been given back is lent again, so many small jobs, in one thread or in several, open and
    compile once. Raises as `open_engine`.
    """
    key = choose_engine(name, work, threads), threads or available_cores()
    with _lock:
        engine = _idle[key].pop() if _idle[key] else None
    if engine is None:
        engine = open_engine(key[0], threads=key[1])
    process = os.getpid()
    yield engine  # one that was interrupted is not lent again
    with _lock:
        if process == os.getpid() and len(_idle[key]) < MOST_IDLE and engine.held_bytes <= MOST_BYTES:
            _idle[key].append(engine)


def forget_engines() -> None:
    """Drop all that are idle, such as when another process, a fork of this one, begins."""
    global _idle, _lock
    # Kept, not ended: the threads that they would end are the parent's.
    _of_parents.append(_idle)
    _idle, _lock = defaultdict(list), threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_engines)
