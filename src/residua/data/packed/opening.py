"""Packed files opened, and the picture that a path into one names: photos.zip/cats/1.jpg."""

from __future__ import annotations

import os
import threading
from functools import lru_cache
from pathlib import Path

from residua.data.packed.container import Container
from residua.data.packed.parquet_file import ParquetFile
from residua.data.packed.tar_file import TarFile
from residua.data.packed.zip_file import ZipFile

READERS: dict[str, type[TarFile] | type[ZipFile] | type[ParquetFile]] = {
    ".tar": TarFile,
    ".zip": ZipFile,
    ".parquet": ParquetFile,
}
HELD = 64  # packed files that stay open

_opening = threading.Lock()


def is_packed(path: Path | str) -> bool:
    """Whether a path is a file that holds many pictures, by its name."""
    return os.path.splitext(path)[1].lower() in READERS and os.path.isfile(path)


def open_packed(path: Path) -> Container:
    """A packed file, kept open. Raises DataError for one that is cut short, damaged or unsafe."""
    status = os.stat(path)
    with _opening:  # which sixteen threads may ask for at once
        return _open(str(path), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=HELD)
def _open(path: str, changed: int, size: int) -> Container:
    return READERS[os.path.splitext(path)[1].lower()](Path(path))


def packed_bytes(path: Path) -> bytes | None:
    """The bytes of the picture that a path into a packed file names; None where it is no such path.

    Raises DataError for a damaged one.
    """
    parent = packed_above(path)
    if parent is None:
        return None
    container = open_packed(parent)
    name = path.relative_to(parent).as_posix()
    return container.read(name) if container.holds(name) else None


def packed_above(path: Path) -> Path | None:
    """The file that holds the picture which a path names, among others; None for a file of its own."""
    return next(filter(is_packed, path.parents), None)
