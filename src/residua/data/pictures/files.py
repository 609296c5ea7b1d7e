"""Which picture files there are: in folders, below them, and among paths that were named."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from residua.errors import DataError

SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"]
)


def find_pictures(paths: Iterable[Path | str]) -> list[Path]:
    """The pictures to predict: files as given, folders searched through, in the order of their names.

    Within folders only the usual suffixes count, hidden files do not; a path that is named is kept
    whatever it is called and whether it exists or not: reading it will tell. Raises DataError for a
    folder without pictures.
    """
    pictures: list[Path] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = list(walk_pictures(path))
            if not inside:
                raise DataError(f"{path} holds no pictures (looked for {', '.join(sorted(SUFFIXES))}).")
            pictures += inside
        else:
            pictures.append(path)
    return list(dict.fromkeys(pictures))


def walk_pictures(folder: Path) -> Iterator[Path]:
    """Every picture below `folder`, sorted; links are followed, but no folder twice and none upwards.

    A link to a folder above would bring the pictures of all classes into one.
    """
    visited = {(status.st_dev, status.st_ino) for status in map(os.stat, folder.resolve().parents)}

    def refuse(problem: OSError) -> None:
        raise DataError(f"Cannot look into {problem.filename}: {problem.strerror}. Change its permissions.")

    for parent, folders, files in os.walk(folder, followlinks=True, onerror=refuse):
        status = os.stat(parent)
        if (status.st_dev, status.st_ino) in visited:
            folders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if is_visible(name))
        for name in sorted(files):
            if is_visible(name) and Path(name).suffix.lower() in SUFFIXES:
                yield Path(parent, name)


def is_visible(name: str) -> bool:
    """Whether a file or folder is meant for people: not hidden, not macOS's shadow copies."""
    return not name.startswith(".") and name != "__MACOSX"


def subfolders(parent: Path) -> list[Path]:
    """The visible folders in a folder, by name. Raises DataError."""
    try:
        return sorted(
            (path for path in parent.iterdir() if is_visible(path.name) and path.is_dir()),
            key=lambda path: path.name,
        )
    except OSError as problem:
        raise DataError(f"Cannot look into {parent}: {problem.strerror or problem}.") from problem
