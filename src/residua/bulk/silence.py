"""A process that stands still, even in machine code, is ended: Python's watch needs no turn of its own."""

from __future__ import annotations

import faulthandler
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

AGAIN_SECONDS = 1.0  # to begin the watch anew takes a thread, so not for every picture


@contextmanager
def ended_if_silent(seconds: float) -> Iterator[Callable[[], None]]:
    """End this process once it has not been heard of for so long; gives what says that it goes on."""
    with open(os.devnull, "w") as nowhere:
        latest = 0.0

        def heard() -> None:
            nonlocal latest
            now = time.monotonic()
            if now - latest > min(AGAIN_SECONDS, seconds / 4):
                faulthandler.dump_traceback_later(seconds, exit=True, file=nowhere)
                latest = now

        heard()
        try:
            yield heard
        finally:
            faulthandler.cancel_dump_traceback_later()
