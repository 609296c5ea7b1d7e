"""Somebody's own pictures: a folder per class, perhaps below one per split, or a table of labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from residua.data.pictures.files import PassedOver, no_pictures_reason, walk_pictures
from residua.data.pictures.left_behind import passed_folders_line
from residua.data.pictures.readers import ALONE, Readers
from residua.data.sources.class_depth import check_depth
from residua.data.sources.folder_layout import (
    ClassRoot,
    class_roots,
    holds_other_things,
    refuse,
    subfolders_with_notes,
    tell_loose,
)
from residua.data.sources.label_table import MOST_ABSENT, read_label_table
from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.metadata_tables import find_metadata, list_metadata
from residua.data.sources.shards.finding import find_shards, list_shards
from residua.data.sources.split_names import split_of
from residua.errors import DataError
from residua.files.user_cache import expanded


def list_own_files(
    folder: Path,
    labels: str | Path | None,
    say: Callable[[str], None],
    others: PassedOver | None = None,
    most_absent: float = MOST_ABSENT,
    obstacle: Callable[[str], None] = refuse,
    readers: Readers = ALONE,
) -> list[LabelledFile]:
    """The pictures of a folder, with labels from its subfolders or from a table, and the splits they name.

    folder: a packed file or shards (`sources.shards`), metadata.csv or metadata.jsonl beside the pictures
    (`metadata_tables`), one folder per class, or train/, val/ and test/ with those in them, in any usual
    spelling. labels: a table instead of folders as labels. others: hears of files that are not read.
    most_absent: the share of a table's files that may be absent. obstacle: is told what only training would
    refuse. say: is told, a line each, what was left aside and how an unclear layout was read. readers: who
    else reads packed files. Raises DataError, in one line, for everything that would make the result unlike
    what was meant.
    """
    if labels:
        return _from_table(folder, Path(labels), say, most_absent, strict=obstacle is refuse)
    if shards := find_shards(folder):
        return list_shards(folder, shards, say, readers, strict=obstacle is refuse)
    if tables := find_metadata(folder):
        if tables[0][2] is None:
            say(f"{folder}: labels from {tables[0][0].name}.")
            return _from_table(folder, tables[0][0], say, most_absent, strict=obstacle is refuse)
        say(f"{folder}: labels from {', '.join(f'{part.name}/{table.name}' for table, part, _ in tables)}.")
        return list_metadata(folder, tables, say, most_absent)
    return _from_folders(folder, say, others, obstacle)


def _from_folders(
    folder: Path, say: Callable[[str], None], others: PassedOver | None, obstacle: Callable[[str], None]
) -> list[LabelledFile]:
    """Files of root/<class>/... or root/<split>/<class>/...; the name of the class's folder is the label."""
    passed: list[Path] = []
    files: list[LabelledFile] = []
    for root in class_roots(folder, say, passed, obstacle):
        files += _from_class_folders(folder, root, say, (others, passed), obstacle)
    if line := passed_folders_line(folder, passed):
        say(line)
    return files


def _from_class_folders(
    folder: Path,
    root: ClassRoot,
    say: Callable[[str], None],
    aside: tuple[PassedOver | None, list[Path]],
    obstacle: Callable[[str], None],
) -> list[LabelledFile]:
    """Files of root/<class>/..., named relative to `folder`. aside: hears of what is passed over."""
    unread, passed = aside
    files: list[LabelledFile] = []
    pictures: dict[Path, list[Path]] = {}
    kinds = subfolders_with_notes(root.path, passed)
    others = []
    for kind in kinds:
        pictures[kind] = list(walk_pictures(kind, unread, passed.append))
        if not pictures[kind] and root.split in (None, "train"):
            if not holds_other_things(kind):
                reason = no_pictures_reason(kind)
                obstacle(f"The class folder {kind} holds no pictures{reason}; add some or remove it.")
            else:
                others.append(kind.name)
        files += [LabelledFile.below(folder, path, kind.name, split=root.split) for path in pictures[kind]]
    if not files and root.split in (None, "train"):
        loose = any(walk_pictures(root.path))
        reason = no_pictures_reason(root.path)
        nothing = f"holds no pictures{reason}" if reason else "is empty"
        content = "holds pictures but no folders" if loose else nothing
        raise DataError(
            f"{root.path} {content}; put the pictures into one folder per class"
            + (" or name a table of them with --labels." if loose else ".")
        )
    if others:
        say(f"{root.path}: no pictures in {', '.join(others)}, which is taken for no class.")
    tell_loose(root.path, say)
    check_depth(root, {kind: found for kind, found in pictures.items() if found}, say)
    return files


def _from_table(
    folder: Path, labels: Path, say: Callable[[str], None], most_absent: float, *, strict: bool
) -> list[LabelledFile]:
    table = expanded(labels)
    if not table.is_file() and (folder / labels).is_file():
        table = folder / labels
    files = sorted(read_label_table(table, folder, say, most_absent), key=lambda file: file.name)
    if any(file.split for file in files):
        return files
    splits = _named_splits(files, strict=strict)
    return [replace(file, split=split) for file, split in zip(files, splits, strict=True)]


def _named_splits(files: list[LabelledFile], *, strict: bool) -> list[str | None]:
    """The split that each picture's folder names; None for all unless train/ is among them (where strict)."""
    firsts = [file.name.split("/", 1)[0] if "/" in file.name else "" for file in files]
    splits = [split_of(first) for first in firsts]
    if (strict and "train" not in splits) or None in splits:
        return [None] * len(files)
    # A class may be called "train": then the files below it are pictures, not folders of classes.
    if all(file.label == first for file, first in zip(files, firsts, strict=True)):
        return [None] * len(files)
    return splits
