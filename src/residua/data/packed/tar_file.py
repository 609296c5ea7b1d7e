"""A tar archive, as WebDataset packs samples: where every entry lies, and its bytes."""

from __future__ import annotations

import os
import tarfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from residua.data.packed.limits import MOST_BYTES, check_count, checked_name, too_large
from residua.data.packed.texts import Places
from residua.errors import DataError, one_line

_PACKED = {b"\x1f\x8b": "gzip", b"BZ": "bzip2", b"\xfd7": "xz", b"(\xb5": "Zstandard"}
_END = 512  # zeros: what every archive ends with


class TarFile:
    """An archive whose headers have been read; entries are read from where they lie."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places = Places()
        try:
            with path.open("rb") as stream:
                start = stream.read(2)
                if start in _PACKED:
                    raise DataError(
                        f"{path} is packed by {_PACKED[start]}, which can only be read from its beginning: "
                        "unpack it to a plain .tar."
                    )
                stream.seek(0)
                with tarfile.open(fileobj=stream, mode="r:") as archive:
                    self._index(stream.fileno(), archive)
            # Kept open: of millions of small entries each would otherwise open the file anew.
            self._handle = os.open(path, os.O_RDONLY)
            weakref.finalize(self, os.close, self._handle)
        except (tarfile.TarError, EOFError, ValueError, OverflowError) as problem:
            if isinstance(problem, DataError):
                raise
            raise self._cut(one_line(problem, 100)) from None
        except OSError as problem:
            raise DataError(f"Cannot read {path}: {problem.strerror or problem}.") from None

    def _index(self, handle: int, archive: Any) -> None:
        size = os.fstat(handle).st_size
        while (member := archive.next()) is not None:
            archive.members = []  # which otherwise keep a kilobyte an entry
            if member.isdir():
                continue
            if not member.isreg() or member.issparse():
                raise DataError(f"{self.path} holds {member.name[:100]!r}, which is no plain file; refused.")
            name = checked_name(member.name, self.path)
            if member.offset_data + member.size > size:
                raise self._cut(f"within {name}")
            if member.size > MOST_BYTES:
                raise too_large(name, self.path)
            self._places.add(name, member.offset_data, member.size)
            check_count(len(self._places), self.path)
        if (twice := self._places.finish()) is not None:
            raise DataError(f"{self.path} holds {twice} twice; pack it anew.")
        if size - archive.offset < _END:
            raise self._cut("its end is not there")

    def _cut(self, where: str) -> DataError:
        return DataError(f"{self.path} is cut short or no tar archive ({where}); fetch or pack it again.")

    def _read(self, offset: int, size: int) -> bytes:
        if hasattr(os, "pread"):
            return os.pread(self._handle, size, offset)
        with self.path.open("rb", buffering=0) as stream:
            stream.seek(offset)
            return stream.read(size)

    def names(self) -> Iterator[str]:
        """Entries in their order."""
        return iter(self._places.names)

    def holds(self, name: str) -> bool:
        """Whether there is an entry of that name."""
        return self._places.find(name) is not None

    def read(self, name: str) -> bytes:
        """The bytes of an entry."""
        found = self._places.find(name)
        if found is None:
            raise DataError(f"{self.path} holds no {name}.")
        offset, size = found
        try:
            content = self._read(offset, size)
        except OSError as problem:
            raise DataError(f"Cannot read {self.path}: {problem.strerror or problem}.") from None
        if len(content) != size:
            raise self._cut(f"within {name}")
        return content
