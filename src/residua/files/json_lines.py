"""Logs of one JSON object a line, appended down to the disk and taken back to a checkpoint."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from residua.errors import RunError
from residua.files.regular import require_file


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


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The entries, oldest first; none where there is no file."""
    if not path.exists():
        return []
    require_file(path, RunError)
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
