"""Stopping a run on purpose: Ctrl-C and SIGTERM become requests that the loop answers at its next step."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """Somebody asked the run to stop; a checkpoint was written.

    It is Ctrl-C's own exception, so that no program around takes it for a failure and goes on.
    """


@contextlib.contextmanager
def stop_requests(requested: threading.Event) -> Iterator[None]:
    """Turn the first Ctrl-C or SIGTERM into a request; a second Ctrl-C interrupts at once."""

    def request(number: int, frame: FrameType | None) -> None:
        if requested.is_set() and number == signal.SIGINT:
            raise KeyboardInterrupt
        requested.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            # None: it was set by a program around Python, which alone can set it again.
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
