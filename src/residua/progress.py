"""Bars on the error output for whoever waits: how much is done, and the time left. Nothing in pipes.

What knows how much there is to do says so (`bar`), what does it says how far it is (`advance`). A bar within
a bar is part of it: the outer one knows the whole.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

PATIENCE_SECONDS = 2.0  # what is done within is not worth a bar


class Bar:
    """One bar: it appears once the work has taken a while, and vanishes at the end.

    title: what is done. total: how much of it there is, in any unit; None where that is not known yet.
    """

    def __init__(self, title: str, total: float | None) -> None:
        self.title, self.total, self.done = title, total, 0.0
        self._shown: Any = None
        self._task: Any = None
        self._lock = threading.Lock()
        self._ended = False
        self._timer = threading.Timer(PATIENCE_SECONDS, self._show)
        self._timer.daemon = True
        self._timer.start()

    def advance(self, amount: float) -> None:
        """So much more is done."""
        self.set(self.done + amount, self.total)

    def extend(self, amount: float) -> None:
        """There is so much more to do than was thought, or less."""
        self.set(self.done, None if self.total is None else self.total + amount)

    def set(self, done: float, total: float | None) -> None:
        """So much is done, of so much."""
        with self._lock:
            self.done, self.total = done, total
            self._move()

    def end(self) -> None:
        """Take it away."""
        self._timer.cancel()
        with self._lock:
            self._ended = True
            if self._shown is not None:
                self._shown.stop()

    def _move(self) -> None:
        if self._shown is not None:
            total = None if self.total is None else max(self.total, self.done)
            self._shown.update(self._task, completed=self.done, total=total)

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        # What is printed meanwhile goes above the bar; into a file or a pipe, past it.
        shown = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=Console(stderr=True, soft_wrap=True, highlight=False),
            transient=True,
            redirect_stdout=sys.stdout.isatty(),
        )
        with self._lock:
            if self._ended:
                return
            self._task = shown.add_task(self.title, total=None)
            self._shown = shown
            self._move()
            shown.start()


_current: ContextVar[Bar | None] = ContextVar("residua_bar", default=None)


@contextmanager
def bar(title: str, total: float) -> Iterator[None]:
    """A bar for the work of the `with` statement, of which `advance` tells; within another one, that one."""
    if _current.get() is not None:
        yield
        return
    with separate_bar(title, total) as shown:
        token = _current.set(shown)
        try:
            yield
        finally:
            _current.reset(token)


@contextmanager
def separate_bar(title: str, total: float | None) -> Iterator[Bar | None]:
    """A bar that its owner moves, as a generator must; None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    shown = Bar(title, total)
    try:
        yield shown
    finally:
        shown.end()


def advance(amount: float = 1.0) -> None:
    """So much of the work is done."""
    if (shown := _current.get()) is not None:
        shown.advance(amount)


def extend(amount: float) -> None:
    """There is so much more to do than `bar` was told, or less."""
    if (shown := _current.get()) is not None:
        shown.extend(amount)
