"""Kernels in LLVM's language that the package carries: made when it was built, for each width of vectors.

What Numba takes half of a minute for is done; this machine's LLVM makes machine code of it. The sources stay
what counts: a carried kernel has a digest of all that it was made from in its name (`kernel_sources.digest`),
so that a stale one, or one for other vectors, is not found.
"""

from __future__ import annotations

import platform
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from residua.engines.numba.runtime.kernel_names import Kernel, Narrow, name_of
from residua.engines.numba.runtime.kernel_sources import digest, vectors_of

FOLDER = Path(__file__).parents[1] / "carried"
DAMAGED = (OSError, KeyError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile, zlib.error)
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # two buildings give the same bytes


def file_name(function: Kernel | None = None) -> str:
    """The file for vectors as that kernel has them, by default as this process has."""
    width, registers = vectors_of(function)
    return f"{platform.machine().lower()}-{width}-{registers}.zip"


def _entry(function: Kernel) -> str:
    plain = function.function if isinstance(function, Narrow) else function
    return f"{name_of(plain)}-{digest(function)}.bc"


def find(function: Kernel, folder: Path | None = None) -> bytes | None:
    """A kernel in LLVM's language; None where none is carried that is made from today's sources."""
    try:
        with zipfile.ZipFile((folder or FOLDER) / file_name(function)) as file:
            return file.read(_entry(function))
    except DAMAGED:
        return None


def complete(functions: Iterable[Kernel], folder: Path) -> bool:
    """Whether all these lie there."""
    try:
        with zipfile.ZipFile(folder / file_name()) as file:
            return {_entry(function) for function in functions} == set(file.namelist())
    except DAMAGED:
        return False


def write(kernels: Iterable[tuple[Kernel, bytes]], folder: Path) -> None:
    """Leave them there, in place of what lay there."""
    folder.mkdir(parents=True, exist_ok=True)
    new = folder / f".{file_name()}.new"
    with zipfile.ZipFile(new, "w") as file:
        for function, code in kernels:
            info = zipfile.ZipInfo(_entry(function), LONG_AGO)
            file.writestr(info, code, zipfile.ZIP_DEFLATED, 9)
    new.replace(folder / file_name())
