"""A zip archive: its table of contents, and the bytes of each entry, checked."""

from __future__ import annotations

import threading
import weakref
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from residua.data.packed.limits import MOST_BYTES, check_count, checked_name, too_large
from residua.errors import DataError, one_line

_ENCRYPTED = 1  # bit of an entry's flags


class ZipFile:
    """An archive whose table of contents has been read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as problem:
            raise DataError(
                f"{path} is cut short or no zip archive ({one_line(problem, 100)}); fetch or pack it again."
            ) from None
        except OSError as problem:
            raise DataError(f"Cannot read {path}: {problem.strerror or problem}.") from None
        weakref.finalize(self, self._archive.close)
        self._lock = threading.Lock()
        self._infos: dict[str, zipfile.ZipInfo] = {}
        check_count(len(self._archive.filelist), path)
        for info in self._archive.filelist:
            if info.is_dir():
                continue
            name = checked_name(info.filename, path)
            if info.flag_bits & _ENCRYPTED:
                raise DataError(f"{name} in {path} is locked by a password; pack it without one.")
            if info.file_size > MOST_BYTES:
                raise too_large(name, path)
            if name in self._infos:
                raise DataError(f"{path} holds {name} twice; pack it anew.")
            self._infos[name] = info

    def names(self) -> Iterator[str]:
        """Entries in their order."""
        return iter(self._infos)

    def holds(self, name: str) -> bool:
        """Whether there is an entry of that name."""
        return name in self._infos

    def read(self, name: str) -> bytes:
        """The bytes of an entry, no more than its header says."""
        info = self._infos[name]
        try:
            with self._lock, self._archive.open(info) as stream:
                content = stream.read(info.file_size + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            ValueError,
            NotImplementedError,
            OSError,
        ) as problem:
            reason = one_line(problem, 100)
            raise DataError(f"{name} in {self.path} is damaged ({reason}); pack it anew.") from None
        if len(content) != info.file_size:
            raise DataError(f"{name} in {self.path} is not as long as it says; pack it anew.")
        return content
