"""Files, as against pipes, devices and sockets, which may be waited for without end."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from residua.errors import ModelFileError, ResiduaError

_KINDS = (
    (stat.S_ISDIR, "it is a folder"),
    (stat.S_ISFIFO, "it is a pipe, not a file"),
    (stat.S_ISSOCK, "it is a socket, not a file"),
    (stat.S_ISCHR, "it is a device, not a file"),
    (stat.S_ISBLK, "it is a device, not a file"),
)
_OF_THE_SYSTEM = ("/proc/", "/sys/", "/dev/")


def what_it_is(path: Path | str) -> str:
    """Why a path cannot be read as a file, in words; empty where it is one."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return "there is no such file"
    except (OSError, ValueError) as problem:  # a name too long, a NUL in it, no permission
        return str(getattr(problem, "strerror", None) or problem)
    reason = _in_words(status.st_mode)
    if not reason and not status.st_size and os.path.realpath(path).startswith(_OF_THE_SYSTEM):
        return "it is the system's, not a file on a disk"
    return reason


def _in_words(mode: int) -> str:
    if stat.S_ISREG(mode):
        return ""
    return next((words for test, words in _KINDS if test(mode)), "it is no file")


def require_file(path: Path | str, error: type[ResiduaError], what: str = "") -> None:
    """Raise `error`, in one line, where a path leads to a pipe, a device, a socket or a folder.

    What is absent passes: opening it tells. what: what the path was given as, such as "the labels".
    """
    reason = what_it_is(path)
    if reason.startswith("it is"):
        raise error(f"cannot read {what + ' ' if what else ''}{path}: {reason}")


def plain_size(path: Path | str, error: type[ResiduaError] = ModelFileError, hint: str = "") -> int:
    """The size in bytes of a plain file that is there.

    hint: what to do, added where there is no such file. Raises `error` for a path that no system can have
    (a NUL in it, a name too long), an absent file, a folder, and for pipes, sockets and devices, which could
    keep a reader waiting for ever.
    """
    try:
        facts = os.stat(path)
    except ValueError:  # a NUL, or text that is no name in any encoding
        raise error(f"cannot read {str(path)[:200]!r}: no file can have that name") from None
    except OSError as problem:
        after = f".{hint and ' ' + hint}" if isinstance(problem, FileNotFoundError) else ""
        shown = str(path) if len(str(path)) <= 1000 else f"{str(path)[:200]}... ({len(str(path))} letters)"
        raise error(f"cannot read {shown}: {problem.strerror or problem}{after}") from None
    require_file(path, error)
    return facts.st_size
