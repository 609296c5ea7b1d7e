"""Pictures whose reading ends the process, or never ends: found by reading them in a process of their own.

    python -m residua.bulk.alone    shape, seconds and names, as a JSON list, on standard input

The process says which picture it is about to read, so that the last one said is the one that ended it: one
process more for each such picture, and none for the others.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence

from residua.bulk.silence import ended_if_silent
from residua.data.preprocessing import Preprocessing
from residua.errors import ResiduaError

TRIES = 2  # a process may also be killed by somebody else


def find_fatal(names: Sequence[str], shape: Preprocessing, seconds: float) -> set[str]:
    """The pictures that end the process that reads them, or take longer, each time that it is tried."""
    fatal: set[str] = set()
    deaths: dict[int, int] = {}
    start = 0
    while start < len(names):
        reached = _read_apart(names[start:], shape, seconds)
        if reached is None:
            return fatal
        at = start + reached
        deaths[at] = deaths.get(at, 0) + 1
        if deaths[at] >= TRIES:
            fatal.add(names[at])
            at += 1
        start = at
    return fatal


def _read_apart(names: Sequence[str], shape: Preprocessing, seconds: float) -> int | None:
    """Where a process that reads them ended; None where it read them all."""
    request = json.dumps([[*shape.stored, shape.channels], seconds, list(names)]).encode()
    command = [sys.executable, "-m", "residua.bulk.alone"]
    done = subprocess.run(
        command, input=request, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False
    )
    if done.returncode == 0:
        return None
    said = done.stdout.split()
    return int(said[-1]) if said else 0


def main() -> None:
    """Read every picture, and say before each which it is."""
    from pathlib import Path

    from residua.data.pictures.decoding import read_picture

    (height, width, channels), seconds, names = json.load(sys.stdin)
    for place, name in enumerate(names):
        print(place, flush=True)
        with ended_if_silent(seconds), contextlib.suppress(ResiduaError):
            read_picture(Path(name), height, width, channels)


if __name__ == "__main__":
    main()
