"""Which picture files there are: in folders, below them, and among paths that were named."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from residua.data.pictures.left_behind import has_left_name, holds_no_data, is_left_behind
from residua.errors import DataError

SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm"]
)


def find_pictures(paths: Iterable[Path | str]) -> list[Path]:
    """The paths of `name_pictures`."""
    return [Path(name) for name in name_pictures(paths)]


def name_pictures(paths: Iterable[Path | str]) -> list[str]:
    """The pictures that paths stand for, one after the other: a file for itself, a folder for what is in it.

    A file keeps the name by which it was given, as often as it was given, whatever it is called and whether
    it exists or not: reading it will tell. Folders are searched through in the order of their names, as
    Python's `sorted` has it, files before folders; there only the usual suffixes count, and hidden files do
    not. Raises DataError for a folder without pictures.
    """
    pictures: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            inside = [str(picture) for picture in walk_pictures(Path(path))]
            if not inside:
                raise DataError(f"{path} holds no pictures (looked for {', '.join(sorted(SUFFIXES))}).")
            pictures += inside
        else:
            pictures.append(os.fspath(path))
    return pictures


def walk_pictures(
    folder: Path,
    passed: Callable[[Path], object] = lambda path: None,
) -> Iterator[Path]:
    """Every picture below `folder`, sorted; links are followed, but no folder twice and none upwards.

    A link to a folder above would bring the pictures of all classes into one. passed: is told of folders
    below that hold no data (see `left_behind`).
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
        # A folder that was named is looked into, whatever it holds.
        if parent != str(folder) and holds_no_data(os.path.basename(parent), folders, files):
            passed(Path(parent))
            folders.clear()
            continue
        for name in filter(has_left_name, folders):
            passed(Path(parent, name))
        folders[:] = sorted(name for name in folders if is_visible(name))
        for name in sorted(files):
            if is_visible(name) and Path(name).suffix.lower() in SUFFIXES:
                yield Path(parent, name)


def is_visible(name: str) -> bool:
    """Whether a file or folder is meant for people: not hidden, not left by a system or a file server."""
    return not name.startswith(".") and not has_left_name(name)


def subfolders(parent: Path) -> list[Path]:
    """The folders in a folder that may hold data, by name. Raises DataError."""
    return [path for path in all_subfolders(parent) if is_visible(path.name) and not is_left_behind(path)]


def all_subfolders(parent: Path) -> list[Path]:
    """The folders in a folder, by name. Raises DataError."""
    try:
        return sorted((path for path in parent.iterdir() if path.is_dir()), key=lambda path: path.name)
    except OSError as problem:
        raise DataError(f"Cannot look into {parent}: {problem.strerror or problem}.") from problem
