"""Where the class folders of somebody's pictures are: below wrappers and splits, beside what is no class."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from residua.data.pictures.files import SUFFIXES, all_subfolders, is_visible, subfolders, walk_pictures
from residua.data.pictures.left_behind import is_drawing
from residua.data.sources.split_names import split_of
from residua.errors import DataError

# What a folder of pictures without labels is called inside of test/, where readers of folders want one.
_UNLABELLED = frozenset(
    {
        *("unknown", "unlabelled", "unlabeled", "unclassified", "unsorted", "dummy", "all"),
        *("data", "files", "image", "images", "img", "imgs", "picture", "pictures", "photo"),
        *("photos",),
    }
)
# Endings of what lies beside pictures and is none; a folder with others may hold pictures that are not read.
_OTHER_FILES = frozenset(
    {
        *(".txt", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".md", ".rst", ".yaml", ".yml"),
        *(".toml", ".ini", ".cfg", ".py", ".pyc", ".ipynb", ".sh", ".bat", ".m", ".r", ".html"),
        *(".htm", ".log", ".pdf", ".doc", ".docx", ".xls", ".xlsx", ".zip", ".gz", ".tar"),
        *(".7z", ".rar", ".npy", ".npz", ".mat", ".h5", ".hdf5", ".pkl", ".pt", ".pth", ".onnx"),
        *(".safetensors", ".parquet", ".db", ".tfrecord"),
    }
)
# Names of splits that need no word.
_SHORT = {"train": ("train",), "validation": ("val", "validation"), "test": ("test",)}


@dataclass(frozen=True)
class ClassRoot:
    """A folder whose folders are classes, and the split that it is; None where there are no splits."""

    path: Path
    split: str | None = None


def refuse(obstacle: str) -> None:
    """Raise DataError: what stands against training ends it. Who only looks or measures notes it instead."""
    raise DataError(obstacle)


def class_roots(
    folder: Path, say: Callable[[str], None], passed: list[Path], obstacle: Callable[[str], None] = refuse
) -> list[ClassRoot]:
    """Where the class folders are; what is left aside is said, what holds no data is added to `passed`.

    obstacle: is told what only training would refuse. Raises DataError where the splits cannot be meant.
    """
    place = _unwrapped(folder)
    if place != folder:
        say(f"{folder}: read from {place.relative_to(folder).as_posix()}/, the only folder with pictures.")
    inside = subfolders_with_notes(place, passed)
    named = {part: split for part in inside if (split := split_of(part.name))}
    # A class may be called "train" (beside "bus"): only folders in it make it a split.
    if any(split == "train" and subfolders(part) for part, split in named.items()):
        return _split_roots(place, inside, named, say)
    if named and all(subfolders(part) for part in named):
        first = next(iter(named))
        obstacle(f"{place} has {first.name}/ but no train/; add train/ with a folder per class.")
        return [ClassRoot(_unwrapped(part, split), split) for part, split in named.items()]
    filled = [part for part in inside if _has_pictures(part)]
    if len(filled) > 1 and all(part in named for part in filled) and "train" in named.values():
        names = ", ".join(f"{part.name}/" for part in filled)
        raise DataError(
            f"{place} holds the splits {names} without class folders in them; put the pictures into one "
            "folder per class there, or name a table of their labels with --labels."
        )
    return [ClassRoot(place)]


def _split_roots(
    place: Path, inside: Sequence[Path], named: dict[Path, str], say: Callable[[str], None]
) -> list[ClassRoot]:
    """The splits that have labels, in the order of their folders' names."""
    roots: list[ClassRoot] = []
    classes = {
        kind.name
        for part, split in named.items()
        if split == "train"
        for kind in subfolders(_unwrapped(part, split))
    }
    for part, split in named.items():
        root = ClassRoot(_unwrapped(part, split, classes), split)
        reason = _no_labels(root, classes)
        if reason:
            say(f"{part} {reason}")
        else:
            roots.append(root)
            twin = next((other for other in roots[:-1] if other.split == split), None)
            if twin is not None:
                one, other = (_top(place, each.path) for each in (twin, root))
                raise DataError(f"{place} has both {one}/ and {other}/; keep one.")
    read = {root.path.relative_to(place).as_posix(): root.split for root in roots}
    odd = [f"{name}/ as {split}" for name, split in read.items() if split and name not in _SHORT[split]]
    if odd:
        say(f"{place}: read with {', '.join(odd)}.")
    others = [part.name for part in inside if part not in named]
    if others:
        train = next(part.name for part, split in named.items() if split == "train")
        say(f"{place}: {', '.join(others)} beside {train}/ is no split and is not used.")
    tell_loose(place, say)
    return roots


def _no_labels(root: ClassRoot, classes: set[str]) -> str:
    """Why a folder of a split cannot be used, to be said; empty where it can."""
    kinds = [kind.name for kind in subfolders(root.path) if _has_pictures(kind)]
    if not kinds:
        count = sum(1 for _ in walk_pictures(root.path))
        if not count:
            return "" if root.split == "train" and subfolders(root.path) else "is empty and left aside."
        return f"holds {count:,} pictures without labels, left aside; `residua predict` names them."
    unlabelled = all(kind.lower() in _UNLABELLED or split_of(kind) == root.split for kind in kinds)
    if root.split != "train" and unlabelled and not classes.intersection(kinds):
        count = sum(1 for _ in walk_pictures(root.path))
        return (
            f"holds {count:,} pictures without labels ({', '.join(kinds)}/ is no class of train/), left "
            "aside; `residua predict` names them."
        )
    return ""


def _unwrapped(folder: Path, split: str | None = None, classes: Collection[str] = ()) -> Path:
    """The folder itself, or the one below it that alone holds pictures, in folders: data/data/<class>.

    split: the one that the folder is; none but this is looked for within. classes: names of classes, one of
    which is enough to find within.
    """
    filled = [part for part in subfolders(folder) if _has_pictures(part)]
    if (
        len(filled) != 1
        or filled[0].name in classes
        or split_of(filled[0].name) not in (None, split)
        or _loose(filled[0])
    ):
        return folder
    inner = _unwrapped(filled[0], split, classes)
    below = [part for part in subfolders(inner) if _has_pictures(part)]
    several = len(below) > 1 or any(part.name in classes or split_of(part.name) == "train" for part in below)
    return inner if several else folder


def _top(place: Path, path: Path) -> str:
    return path.relative_to(place).parts[0]


def _has_pictures(folder: Path) -> bool:
    return any(True for _ in walk_pictures(folder))


def _loose(folder: Path) -> list[str]:
    """The pictures that lie in a folder itself, without what residua has drawn there."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if is_visible(entry.name)
                and Path(entry.name).suffix.lower() in SUFFIXES
                and not is_drawing(entry.name)
                and entry.is_file()
            )
    except OSError as problem:
        raise DataError(f"Cannot look into {folder}: {problem.strerror or problem}.") from problem


def tell_loose(folder: Path, say: Callable[[str], None]) -> None:
    """Say how many pictures lie beside folders of classes or splits, where they have no label."""
    loose = _loose(folder)
    if loose:
        kinds = "picture" if len(loose) == 1 else "pictures"
        say(f"{folder}: {len(loose):,} {kinds} beside the folders ({loose[0]}) without a label, not used.")


def subfolders_with_notes(folder: Path, passed: list[Path]) -> list[Path]:
    """The folders that may hold data; those passed over are added to `passed`, hidden ones with pictures."""
    inside = subfolders(folder)
    for part in all_subfolders(folder):
        if part not in inside and part not in passed and (not part.name.startswith(".") or _loose(part)):
            passed.append(part)
    return inside


def holds_other_things(folder: Path) -> bool:
    """Whether a folder without pictures holds files, all plainly no pictures: notes, tables, scripts."""
    files = [name for parent, folders, names in os.walk(folder) for name in names if not name.startswith(".")]
    return bool(files) and all(Path(name).suffix.lower() in _OTHER_FILES for name in files)
