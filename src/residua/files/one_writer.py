"""One process writes into a folder: two at one run would write over each other's checkpoints."""

from __future__ import annotations

import contextlib
import os
import platform
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from residua.errors import RunError

LOCK = ".lock"  # in the folder, while somebody writes there

_held = threading.local()


class InUseError(RunError):
    """Another process, or another thread of this one, writes into the folder."""


@contextlib.contextmanager
def one_writer(folder: Path, cure: str) -> Iterator[None]:
    """Hold a folder, made where there is none, for this thread; it may do so again within.

    The hold ends with the process, however that ends. cure: what else to do than to wait, for the message.
    Raises InUseError where somebody else holds the folder, RunError where nothing can be written there. On
    systems and disks without locks nobody is kept out.
    """
    every: set[str] = _held.__dict__.setdefault("folders", set())
    key = os.path.realpath(folder)
    if key in every:
        yield
        return
    made = not folder.exists()
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = _lock(path, cure)
    except OSError as problem:
        raise RunError(f"cannot write into {folder}: {problem.strerror or problem}; {cure}") from None
    every.add(key)
    try:
        yield
    finally:
        every.discard(key)
        if stream is not None:
            if _is_at(stream, path):
                path.unlink(missing_ok=True)
            stream.close()
        if made:
            with contextlib.suppress(OSError):
                folder.rmdir()  # only where nothing was put into it


def _lock(path: Path, cure: str) -> IO[bytes] | None:
    """The locked file, None where nothing can be locked. Raises InUseError."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    while True:
        stream = path.open("a+b")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read(200).decode(errors="replace").strip() or "another process"
            stream.close()
            raise InUseError(
                f"{path.parent} is being written by {holder}: let it finish, or {cure}"
            ) from None
        except OSError:  # a disk that knows no locks
            stream.close()
            path.unlink(missing_ok=True)
            return None
        if _is_at(stream, path):
            stream.truncate(0)
            stream.write(f"process {os.getpid()} on {platform.node()}".encode())
            stream.flush()
            return stream
        stream.close()  # whoever had it has just taken the file away


def _is_at(stream: IO[bytes], path: Path) -> bool:
    """Whether the open file is the one that lies there."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    except OSError:
        return False
