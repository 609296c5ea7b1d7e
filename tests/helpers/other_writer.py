"""Somebody else who writes into a folder."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor

from residua.files.one_writer import one_writer


@contextlib.contextmanager
def other_writer(folder):
    """Another thread has the folder, which counts as much as another process."""
    with ThreadPoolExecutor(1) as other, contextlib.ExitStack() as held:
        other.submit(held.enter_context, one_writer(folder, "")).result()
        try:
            yield
        finally:
            other.submit(held.close).result()
