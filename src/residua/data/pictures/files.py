"""Which picture files there are: in folders, below them, and among paths that were named."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from residua.data.packed.opening import is_packed, open_packed
from residua.data.pictures.kinds import (
    AVIF,
    EMPTY,
    HEIC,
    RAW_SUFFIXES,
    START,
    Kind,
    avif_is_read,
    heic_is_read,
    is_read,
    recognise,
    suffixes,
)
from residua.data.pictures.left_behind import has_left_name, holds_no_data, is_left_behind
from residua.errors import DataError
from residua.files.regular import what_it_is

PassedOver = dict[Kind, list[Path]]  # files of folders of pictures that are not read, by kind

SUFFIXES = suffixes(
    "jpg jpeg jpe jfif mpo png apng webp avif bmp dib gif tif tiff ppm pgm pbm pnm jp2 j2k jpf jpx tga ico"
)
_HEIC = frozenset([".heic", ".heif", ".hif"])
# What nobody put there as data.
_OF_SYSTEMS = frozenset(["thumbs.db", "ehthumbs.db", "desktop.ini", "picasa.ini", "icon\r"])
# Half of a file, a second copy of one, a preview of a video: pictures by content, but not data.
_LEFTOVERS = suffixes("part partial crdownload download aria2 tmp temp bak old orig swp thm")
_TABLES = suffixes("csv tsv")
_NO_FILE = Kind("a link to nothing, a pipe or a device", "links to nothing, pipes or devices", picture=False)
_LEFTOVER = Kind("an unfinished or backup file", "unfinished or backup files", picture=False)
# What people take for pictures, and no content tells.
_LOOK_LIKE_PICTURES = RAW_SUFFIXES | suffixes(
    "jxl jxr wdp hdp svg psd psb xcf kra ai eps pcx pict wmf emf bpg flif dcm"
)


def find_pictures(paths: Iterable[Path | str], others: PassedOver | None = None) -> list[Path]:
    """The paths of `name_pictures`."""
    return [Path(name) for name in name_pictures(paths, others)]


def name_pictures(
    paths: Iterable[Path | str],
    others: PassedOver | None = None,
    passed: Callable[[Path], object] = lambda path: None,
) -> list[str]:
    """The pictures that paths stand for, one after the other: a file for itself, a folder or a packed file
    for what is in it.

    A file keeps the name by which it was given, as often as it was given, whatever it is called and whether
    it exists or not: reading it will tell. Folders are searched through in the order of their names, as
    Python's `sorted` has it, files before folders; hidden files do not count there. others, passed: hear of
    files and folders that are passed over. Raises DataError for a folder without pictures.
    """
    pictures: list[str] = []
    for path in paths:
        if os.path.isdir(path):
            beside: PassedOver = {}
            inside = [str(picture) for picture in walk_pictures(Path(path), beside, passed)]
            if not inside:  # perhaps shards of them
                packed = sorted(file for files in beside.values() for file in files if is_packed(file))
                inside, beside = [name for file in packed for name in _inside(file)], {} if packed else beside
            if not inside:
                raise DataError(f"{path} holds no pictures that can be read{_instead(beside)}.")
            if others is not None:
                for kind, files in beside.items():
                    others.setdefault(kind, []).extend(files)
            pictures += inside
        elif is_packed(path):
            pictures += _inside(path)
        else:
            pictures.append(os.fspath(path))
    return pictures


def walk_pictures(
    folder: Path,
    others: PassedOver | None = None,
    passed: Callable[[Path], object] = lambda path: None,
) -> Iterator[Path]:
    """Every picture below `folder`, sorted; links are followed, but no folder twice and none upwards.

    A link to a folder above would bring the pictures of all classes into one. others: hears of the files
    that are no pictures which can be read here. passed: is told of folders below that hold no data (see
    `left_behind`).
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
            if not is_visible(name) or name.lower() in _OF_SYSTEMS:
                continue
            path = Path(parent, name)
            kind = _passed_over(path)
            if kind is None:
                yield path
            elif others is not None:
                others.setdefault(kind, []).append(path)


def is_visible(name: str) -> bool:
    """Whether a file or folder is meant for people: not hidden, not left by a system or a file server."""
    return not name.startswith(".") and not has_left_name(name)


def is_picture_name(name: str) -> bool:
    """Whether a file of that name is a picture; whether it can be read here, reading it will tell."""
    suffix = os.path.splitext(name)[1].lower()
    return suffix in SUFFIXES or suffix in _HEIC


def _inside(path: Path | str) -> list[str]:
    """The pictures of a packed file, as paths below it. Raises DataError where there are none."""
    rows = os.path.splitext(path)[1].lower() == ".parquet"
    names = [f"{path}/{name}" for name in open_packed(Path(path)).names() if rows or is_picture_name(name)]
    if not names:
        raise DataError(f"{path} holds no pictures.")
    return names


def subfolders(parent: Path) -> list[Path]:
    """The folders in a folder that may hold data, by name. Raises DataError."""
    return [path for path in all_subfolders(parent) if is_visible(path.name) and not is_left_behind(path)]


def all_subfolders(parent: Path) -> list[Path]:
    """The folders in a folder, by name. Raises DataError."""
    try:
        return sorted((path for path in parent.iterdir() if path.is_dir()), key=lambda path: path.name)
    except OSError as problem:
        raise DataError(f"Cannot look into {parent}: {problem.strerror or problem}.") from problem


def passed_over_line(place: str, others: PassedOver, *, every: bool = False) -> str:
    """What to say of files that are not read: how many of what kind, and what to do; empty for none.

    place: where they lie. every: of all of them; else only where people would take some for pictures.
    """
    counted = {kind: files for kind, files in others.items() if every or kind.picture}
    if not counted:
        return ""
    total = sum(map(len, counted.values()))
    are = "files are" if total > 1 else "file is"
    return f"{place}{': ' * bool(place)}{total:,} {are} not read: {'; '.join(passed_over_parts(counted))}"


def passed_over_parts(others: PassedOver) -> list[str]:
    """A phrase for each kind of file, the most frequent first."""
    parts = []
    for kind, files in sorted(others.items(), key=lambda entry: -len(entry[1])):
        many = len(files) > 1
        advice = kind.advice("them" if many else "it")
        example = f"{files[0].parent.name}/{files[0].name}"
        named = f"{len(files):,} {kind.many} such as {example}" if many else f"{kind.one}, {example}"
        parts.append(f"{named} ({advice})" if advice else named)
    return parts


def no_pictures_reason(folder: Path) -> str:
    """What a folder without pictures holds instead, as the end of a sentence; empty where nothing."""
    others: PassedOver = {}
    for _ in walk_pictures(folder, others):
        return ""
    return _instead(others)


def file_content(path: Path) -> str:
    """What a file named where a folder belongs is, and what to do with it, after a colon; or nothing."""
    if path.suffix.lower() in _TABLES:
        return ": a table; name the folder of its pictures, and the table with --labels"
    if what_it_is(path):  # nobody may ever write into a pipe
        return ""
    try:
        with path.open("rb") as stream:
            kind = recognise(stream.read(START), path.suffix.lower())
    except OSError:
        return ""
    if kind is None:
        return ""
    advice = "residua predict names its class" if is_read(kind) else kind.advice("it")
    return f": {kind.one}{advice and ' ('}{advice}{advice and ')'}"


def _instead(others: PassedOver) -> str:
    return f", but {'; '.join(passed_over_parts(others))}" if others else ""


def _passed_over(path: Path) -> Kind | None:
    """Which kind of file a path is that is not read; None for a picture.

    Content decides where the suffix is not that of a picture.
    """
    suffix = path.suffix.lower()
    if suffix in _HEIC:
        return None if heic_is_read() else HEIC
    if suffix in SUFFIXES:
        return None if suffix != ".avif" or avif_is_read() else AVIF
    if suffix in _LEFTOVERS or path.name.endswith("~"):
        return _LEFTOVER
    if what_it_is(path):
        return _NO_FILE
    try:
        with path.open("rb") as stream:
            start = stream.read(START)
    except OSError:
        return _of_suffix(suffix)
    found = recognise(start, suffix) if start else EMPTY
    return None if is_read(found) else found or _of_suffix(suffix)


def _of_suffix(suffix: str) -> Kind:
    """What is known of a file by its suffix alone."""
    if not suffix:
        return Kind("a file of no known kind", "files of no known kind", picture=False)
    if suffix in _LOOK_LIKE_PICTURES:
        return Kind(f"a {suffix} file", f"{suffix} files", "save {0} as JPEG or PNG")
    return Kind(f"a {suffix} file", f"{suffix} files", picture=False)
