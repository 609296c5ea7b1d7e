"""Processes of Python that work for this one: how one is started, spoken to, let go of and ended."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import IO

Process = subprocess.Popen[bytes]


def start(*arguments: str, told: Mapping[str, str] | None = None) -> Process:
    """Python with these arguments, told this beside the environment; raises OSError or ValueError."""
    # Without buffers: these have locks, which a forked child would find taken.
    return subprocess.Popen(
        [sys.executable, *arguments], env=os.environ | dict(told or {}),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
    )  # fmt: skip


def pipe(stream: IO[bytes] | None) -> IO[bytes]:
    """A pipe to or from a process that `start` gave."""
    assert stream is not None
    return stream


def leave(processes: Iterable[Process]) -> None:
    """Close the pipes alone, as a forked child must with its parent's processes."""
    for process in processes:
        for stream in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):
                pipe(stream).close()


def end(processes: Iterable[Process]) -> None:
    """End all of them, and close their pipes."""
    every = list(processes)
    for process in every:
        process.kill()
    for process in every:
        process.wait()
    leave(every)
