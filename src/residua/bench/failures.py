"""A process of a benchmark that has failed, in one line."""

from __future__ import annotations

from typing import IO

from residua.errors import RunError


def failure(who: str, code: int, errors: IO[str]) -> RunError:
    """What to raise: how it ended, and its last words, out of the file that holds its error output."""
    errors.seek(0)
    words = [line for line in errors.read().split("\n") if line.strip()]
    return RunError(f"{who} ended with code {code}: {words[-1] if words else 'without a word'}")
