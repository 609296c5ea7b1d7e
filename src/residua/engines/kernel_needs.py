"""Whether the kernels that a job needs are in the cache, known without importing Numba where possible.

Which kernels a network needs is found once on a machine, by a rehearsal, and noted beside the cache: the
folder of its kernels, and their files.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from residua.cores import cpuinfo
from residua.engines.estimate import Rehearsal
from residua.files.durable import write_durably
from residua.files.user_cache import kernels_folder

NOTES = "needs"
MOST_BYTES = 1 << 20  # of a note: more is none


def missing_kernels(rehearsal: Rehearsal, threads: int, patient: bool) -> int | None:
    """How many of the kernels that a job needs must be compiled first.

    patient: whether the answer is worth importing Numba, if need be; else None where it is not known.
    """
    note = kernels_folder() / NOTES / f"{_digest(rehearsal.name(), threads)}.json"
    folder, files = _read(note)
    if not files:
        if not patient:
            return None
        folder, files = _rehearse(rehearsal, threads)
        with contextlib.suppress(OSError, ValueError):
            note.parent.mkdir(parents=True, exist_ok=True)
            _write(note, folder, files)
    there = _names_in(folder)
    return sum(file not in there for file in files)


def any_kernels() -> bool:
    """Whether anything has been compiled here before."""
    try:
        with os.scandir(kernels_folder()) as entries:
            return any(entry.is_dir() and entry.name != NOTES for entry in entries)
    except (OSError, ValueError):
        return False


def _rehearse(rehearsal: Rehearsal, threads: int) -> tuple[Path, tuple[str, ...]]:
    from residua.engines.numba.rehearsal import needed_kernels
    from residua.engines.numba.runtime.kernel_files import cache_folder

    return cache_folder(), needed_kernels(rehearsal.run, threads)


def _read(note: Path) -> tuple[Path, tuple[str, ...]]:
    """What was noted; no files for a note that is absent or damaged."""
    try:
        with note.open("rb") as stream:
            known: Any = json.loads(stream.read(MOST_BYTES))
        folder, files = str(known["folder"]), tuple(map(str, known["files"]))
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return note.parent, ()
    return note.parents[1] / Path(folder).name, files


def _write(note: Path, folder: Path, files: tuple[str, ...]) -> None:
    from residua.errors import ResiduaError

    with contextlib.suppress(ResiduaError):
        write_durably(note, json.dumps({"folder": folder.name, "files": files}).encode())


def _names_in(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))
    except (OSError, ValueError):
        return set()


def _digest(name: str, threads: int) -> str:
    """The note's name: another one for other sources, versions, settings or another processor."""
    return hashlib.sha256(f"{name}\n{threads}\n{_surroundings()}".encode()).hexdigest()[:24]


@cache
def _surroundings() -> str:
    sources = sorted(Path(__file__).with_name("numba").rglob("*.py"))
    stamps = [(path.name, (seen := path.stat()).st_size, seen.st_mtime_ns) for path in sources]
    return repr((stamps, _version("numba"), _version("llvmlite"), sys.version, _processor(), _settings()))


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _settings() -> list[tuple[str, str]]:
    return sorted((name, value) for name, value in os.environ.items() if name.startswith("RESIDUA_VECTOR"))


def _processor() -> str:
    lines = cpuinfo().splitlines()
    if not lines:
        import platform

        return platform.processor()
    return "\n".join(line for line in lines[:40] if line.startswith(("model", "flags", "stepping")))
