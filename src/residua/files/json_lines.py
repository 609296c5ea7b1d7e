"""Logs of one JSON object a line, appended down to the disk and taken back to a checkpoint."""

from __future__ import annotations

import json
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from residua.errors import RunError
from residua.files.plain_file import plain_size

MOST_BYTES = 500_000_000
ALWAYS_NUMBERS = ("_loss", "_error")  # of what an epoch came to, by the ends of their names


def append_line(path: Path, entry: dict[str, Any]) -> int:
    """Append one JSON line, down to the disk; the file's size afterwards. Raises RunError."""
    try:
        with open(path, "a", encoding="utf-8", newline="\n") as stream:
            stream.write(json.dumps(entry) + "\n")
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


def read_lines(path: Path, numbers: Collection[str] = ()) -> list[dict[str, Any]]:
    """The entries, oldest first; none where there is no file.

    A last line that was cut off while it was written is left out. numbers: what every entry must hold as a
    number. Raises RunError that names the line which is none of these.
    """
    if not path.exists():
        return []
    if plain_size(path, RunError) > MOST_BYTES:
        raise RunError(f"{path} is no log: it is larger than {MOST_BYTES // 10**6} MB")
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise RunError(f"cannot read {path}: {error.strerror or error}") from None
    entries = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            entries.append(_entry(line, numbers))
        except (ValueError, RecursionError) as error:
            if number == len(lines):
                break
            reason = " ".join(str(error).split())[:120] or "it cannot be read"
            raise RunError(
                f"{path} line {number} is damaged ({reason}): take another copy of it, or take the line out"
            ) from None
    return entries


def _entry(line: bytes, numbers: Collection[str]) -> dict[str, Any]:
    entry = json.loads(line)
    if not isinstance(entry, dict):
        raise ValueError("it is no table")
    for name, value in entry.items():
        if name.endswith(ALWAYS_NUMBERS) and not is_number(value):
            raise ValueError(f"its {name[:40]} is no number")
    for name in numbers:
        if not is_number(entry.get(name)):
            raise ValueError(f"its {name} is no number")
    return entry


def is_number(value: Any) -> bool:
    """Whether it is a number that float64 holds; a finite one or not."""
    return type(value) is float or (type(value) is int and value.bit_length() < 64)
