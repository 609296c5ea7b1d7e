"""Somebody's own pictures: a folder per class, perhaps below one per split, or a table of labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from residua.data.pictures.files import PassedOver, no_pictures_reason, subfolders, walk_pictures
from residua.data.sources.label_table import read_label_table
from residua.data.sources.labelled_file import LabelledFile
from residua.errors import DataError

_SPLITS = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}


def list_own_files(
    folder: Path, labels: str | Path | None, say: Callable[[str], None], others: PassedOver | None = None
) -> list[LabelledFile]:
    """The pictures of a folder, with labels from its subfolders or from a table, and the splits they name.

    folder: one folder per class, or train/, val/ and test/ with those in them. labels: a CSV table instead of
    folders as labels. others: hears of files that are not read. Raises DataError, in one line, for
    everything that would make the result unlike what was meant.
    """
    files = _from_table(folder, Path(labels)) if labels else _from_folders(folder, say, others)
    splits = _named_splits(files)
    return [replace(file, split=split) for file, split in zip(files, splits, strict=True)]


def _from_folders(folder: Path, say: Callable[[str], None], others: PassedOver | None) -> list[LabelledFile]:
    """Files of root/<class>/... or root/<split>/<class>/...; the name of the class's folder is the label."""
    inside = subfolders(folder)
    present = [part for part in inside if part.name in _SPLITS]
    # A class may be called "train" (beside "bus"): only folders in it make it a split.
    if any(part.name == "train" and subfolders(part) for part in present):
        roots = present
        unused = [part.name for part in inside if part not in present]
        if unused:
            say(f"{folder}: {', '.join(unused)} beside train/ is no split and is not used.")
    elif present and all(subfolders(part) for part in present):
        raise DataError(f"{folder} has {present[0].name}/ but no train/; add train/ with a folder per class.")
    else:
        roots = [folder]
    if {"val", "validation"} <= {part.name for part in roots}:
        raise DataError(f"{folder} has both val/ and validation/; keep one.")
    return [file for root in roots for file in _from_class_folders(folder, root, others)]


def _from_class_folders(folder: Path, root: Path, others: PassedOver | None) -> list[LabelledFile]:
    """Files of root/<class>/..., named relative to `folder`."""
    files: list[LabelledFile] = []
    kinds = subfolders(root)
    for kind in kinds:
        pictures = list(walk_pictures(kind, others))
        if not pictures and (root is folder or root.name == "train"):
            reason = no_pictures_reason(kind)
            raise DataError(f"The class folder {kind} holds no pictures{reason}; add some or remove it.")
        files += [LabelledFile.below(folder, path, kind.name) for path in pictures]
    if not kinds:
        loose = any(walk_pictures(root))
        content = "holds pictures but no folders" if loose else "is empty"
        raise DataError(
            f"{root} {content}; put the pictures into one folder per class"
            + (" or name a table of them with --labels." if loose else ".")
        )
    return files


def _from_table(folder: Path, labels: Path) -> list[LabelledFile]:
    table = labels.expanduser()
    if not table.is_file() and (folder / labels).is_file():
        table = folder / labels
    return sorted(read_label_table(table, folder), key=lambda file: file.name)


def _named_splits(files: list[LabelledFile]) -> list[str | None]:
    """The split that each picture's folder names; None for all unless train/ is among them."""
    firsts = [file.name.split("/", 1)[0] if "/" in file.name else "" for file in files]
    if "train" not in firsts or any(first not in _SPLITS for first in firsts):
        return [None] * len(files)
    # A class may be called "train": then the files below it are pictures, not folders of classes.
    if all(file.label == first for file, first in zip(files, firsts, strict=True)):
        return [None] * len(files)
    return [_SPLITS[first] for first in firsts]
