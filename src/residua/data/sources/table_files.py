"""The picture that a table's cell names: as it is written, or as another computer wrote it."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from residua.data.pictures.files import walk_pictures
from residua.errors import DataError

_Parts = tuple[str, ...]


class Finder(Protocol):
    """Finds the pictures of a table in `folder`, be that a folder or an archive."""

    @property
    def folder(self) -> Path:
        """Where they are."""
        ...

    def find(self, cell: str, location: str) -> tuple[str, Path, bool] | None:
        """A picture's name, its path, and whether it is called as written; None where there is none."""
        ...

    def exists(self, cell: str) -> bool:
        """Whether a cell names a picture here."""
        ...

    def is_outside(self, cell: str) -> bool:
        """Whether a path leads out of here."""
        ...

    def looked_for(self, cell: str) -> str:
        """Where a picture was looked for."""
        ...


class TableFiles:
    """Finds the files of a table below a folder, then below the table's own.

    A path that leads nowhere is looked for among the folder's pictures by its end: with the folders of
    another computer before it (D:/pets/cat/0.jpg), or without some of them, without an ending, in other
    capitals.
    """

    def __init__(self, folder: Path, table: Path) -> None:
        self.folder = folder
        self.roots = [os.path.abspath(base) for base in (folder, table.parent)]
        self._index: dict[str, list[tuple[_Parts, Path]]] | None = None
        self._stems: dict[str, list[tuple[_Parts, Path]]] = {}

    def find(self, cell: str, location: str) -> tuple[str, Path, bool] | None:
        """A file's name relative to the folder, its path, and whether it is called as written.

        None where there is no such file. Raises DataError for a file outside of both folders, and for a cell
        that may be two files.
        """
        outside = False
        for written in _spellings(cell):
            for root in self.roots:
                path = os.path.normpath(os.path.join(root, written))
                if not _is_file(path):
                    continue
                for base in (root, os.path.realpath(root)):
                    if Path(path).is_relative_to(base):
                        return Path(os.path.relpath(path, base)).as_posix(), Path(path), True
                outside = True
        found = self._by_end(cell, location)
        if outside and found is None:
            raise DataError(
                f"{location} names {cell}, which lies outside {self.folder} and the table's folder; move it "
                "there."
            )
        return None if found is None else (found.relative_to(self.folder).as_posix(), found, False)

    def exists(self, cell: str) -> bool:
        """Whether a cell names a file here."""
        try:
            return self.find(cell, "") is not None
        except DataError:
            return True

    def is_outside(self, cell: str) -> bool:
        """Whether a path leads out of both folders."""
        paths = [os.path.normpath(os.path.join(root, cell)) for root in self.roots]
        return not any(Path(path).is_relative_to(root) for path, root in zip(paths, self.roots, strict=True))

    def looked_for(self, cell: str) -> str:
        """The first place where a file was looked for, and the others."""
        written = list(_spellings(cell))[-1]
        return (
            f"{os.path.normpath(os.path.join(self.roots[0], written))}, and among the ends of all paths there"
        )

    def _by_end(self, cell: str, location: str) -> Path | None:
        if self._index is None:
            self._index = {}
            for path in walk_pictures(self.folder):
                parts = _folded(path.relative_to(self.folder).as_posix())
                self._index.setdefault(parts[-1], []).append((parts, path))
                stem = parts[-1].rpartition(".")[0]
                self._stems.setdefault(stem, []).append(((*parts[:-1], stem), path))
        parts = _folded(cell.replace("\\", "/"))
        if not parts:
            return None
        candidates = self._index.get(parts[-1]) or self._stems.get(parts[-1], [])
        fitting = [(_shared(parts, other), path) for other, path in candidates if _shared(parts, other)]
        best = max((shared for shared, _ in fitting), default=0)
        paths = [path for shared, path in fitting if shared == best]
        if len(paths) > 1:
            one, other = (path.relative_to(self.folder).as_posix() for path in paths[:2])
            raise DataError(
                f"{location} names {cell}, which may be {one} or {other}; write the whole path with its "
                "ending."
            )
        return paths[0] if paths else None


def _spellings(cell: str) -> Iterator[str]:
    """A cell as it is, and with its backslashes turned."""
    yield cell
    turned = re.sub(r"^file:/*", "/", cell).replace("\\", "/")
    if turned != cell and not re.match("[A-Za-z]:", turned):
        yield turned


def _folded(path: str) -> _Parts:
    """The parts of a path without drive and dots, in small letters and one Unicode form."""
    text = unicodedata.normalize("NFC", re.sub(r"^(file:/+)?([A-Za-z]:)?", "", path)).casefold()
    return tuple(part for part in text.split("/") if part not in ("", ".", ".."))


def _shared(one: _Parts, other: _Parts) -> int:
    """How many parts two paths share, where the shorter is the end of the longer; else 0."""
    count = min(len(one), len(other))
    return count if one[-count:] == other[-count:] else 0


def _is_file(path: str) -> bool:
    try:
        return os.path.isfile(path)
    except ValueError:  # a NUL
        return False
