"""Logs of one JSON object a line, appended down to the disk and taken back to a checkpoint."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from residua.errors import RunError
from residua.files.regular import require_file

LISTS = {"layers"}
NUMBERS = ("_loss", "_error")  # what an epoch came to, by the ends of their names


def append_line(path: Path, entry: dict[str, Any]) -> int:
    """Append one JSON line, down to the disk; the file's size afterwards. Raises RunError.

    A last line that was never finished is ended first, so that it takes no other with it.
    """
    try:
        with open(path, "ab+") as stream:
            if stream.seek(0, os.SEEK_END):
                stream.seek(-1, os.SEEK_END)
                if stream.read(1) != b"\n":
                    stream.write(b"\n")
            stream.write(json.dumps(entry).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
            return stream.tell()
    except OSError as error:
        raise RunError(f"cannot write {path}: {error.strerror}") from None


def truncate(path: Path, size: int) -> None:
    """Take back what was logged after the checkpoint that a run goes on from. Raises RunError."""
    if not path.exists() and size == 0:
        return
    try:
        if path.stat().st_size < size:
            raise RunError(f"{path} is shorter than its checkpoint says: restore it, or start the run anew")
        os.truncate(path, size)
    except OSError as error:
        raise RunError(f"cannot take {path} back to its checkpoint: {error.strerror}") from None


def read_lines(path: Path, needed: Sequence[str] = (), torn: list[str] | None = None) -> list[dict[str, Any]]:
    """The whole entries, oldest first; none where there is no file.

    needed: what each entry must hold. torn: takes a line about the lines
    that are no entries, such as a last one that was never finished. Raises RunError for a log that cannot
    be read at all.
    """
    require_file(path, RunError)
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from None
    entries = [_entry(line, needed) for line in lines if line.strip(b"\0 \r\t")]
    whole = [entry for entry in entries if entry is not None]
    if len(whole) < len(entries) and torn is not None:
        number = len(entries) - len(whole)
        torn.append(f"{path}: {number} of {len(entries)} lines are damaged or unfinished, and left out")
    return whole


def _entry(line: bytes, needed: Sequence[str]) -> dict[str, Any] | None:
    """A line's entry; None where the line is none."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not all(name in entry for name in needed):
        return None
    wanted = {name for name in entry if name.endswith(NUMBERS)} | ({*needed} - LISTS)
    return entry if all(is_number(entry[name]) for name in wanted) else None


def is_number(value: Any) -> bool:
    """Whether it is a number that float64 holds, finite or not."""
    return type(value) is float or (type(value) is int and value.bit_length() < 64)
