"""Files, as against pipes, devices and sockets, which may be waited for without end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_KINDS = (
    (stat.S_ISDIR, "it is a folder"),
    (stat.S_ISFIFO, "it is a pipe, not a file"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (stat.S_ISCHR, "it is a device, not a file"),
    (stat.S_ISBLK, "it is a device, not a file"),
)


def what_it_is(path: Path | str) -> str:
    """Why a path cannot be read as a file, in words; empty where it is one."""
    try:
        status = os.stat(path)
    except OSError as problem:
        return (problem.strerror or str(problem)) if _exists(path) else "there is no such file"
    except ValueError as problem:  # a NUL in the name
        return str(problem)
    if stat.S_ISREG(status.st_mode):
        return ""
    return next((words for test, words in _KINDS if test(status.st_mode)), "it is no file")


def _exists(path: Path | str) -> bool:
    try:
        return os.path.lexists(path) and not os.path.islink(path)
    except ValueError:
        return False


def require_file(path: Path | str, error: type[Exception], what: str = "") -> None:
    """Raise `error`, in one line, where a path leads to a pipe, a device, a socket or a folder.

    What is absent passes: opening it tells. what: what the path was given as, such as "the labels".
    """
    reason = what_it_is(path)
    if reason.startswith("it is"):
        raise error(f"Cannot read {what + ' ' if what else ''}{path}: {reason}.")
