"""Folders inside of class folders: counted for the class above, or a sign that those are no classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from residua.data.sources.folder_layout import ClassRoot
from residua.data.sources.split_names import is_fold, is_part, split_of, split_within
from residua.errors import DataError
from residua.files.names import first_names

SHOWN = 4  # names of folders in a message


def check_depth(root: ClassRoot, pictures: dict[Path, list[Path]], say: Callable[[str], None]) -> None:
    """Say how folders inside of class folders are read.

    pictures: those of each class folder that has any. Raises DataError where folds or splits would be taken
    for classes, or lie within them.
    """
    if not pictures:
        return
    _refuse_splits_of_one(root, [kind.name for kind in pictures])
    _tell_odd_names(root, [kind.name for kind in pictures], say)
    inside = {kind: _folders(kind, paths) for kind, paths in pictures.items()}
    for kind, names in inside.items():
        splits = {split_of(name) for name in names}
        if "train" in splits and len(splits - {None}) > 1:
            listed = " and ".join(f"{name}/" for name in sorted(names) if split_of(name))
            raise DataError(
                f"{kind} is no class: it holds the splits {listed}; lay the splits outside and the classes "
                f"inside, as in train/{kind.name}, or name the folder that holds the splits."
            )
    deep = all(
        len(Path(path).relative_to(kind).parts) > 1 for kind, paths in pictures.items() for path in paths
    )
    common = set.intersection(*inside.values()) if deep else set()
    several = len(pictures) > 1
    classes = [kind.name for kind in pictures]
    if several and (all(map(is_fold, classes)) or (len(common) > 1 and all(map(is_part, classes)))):
        raise DataError(
            f"{root.path} holds parts ({first_names(classes, SHOWN)}) where classes were looked for; put the "
            "pictures of each class together, or name one part, or a table of all pictures with --labels."
        )
    if root.split not in (None, "train") or not any(inside.values()):
        return
    if several and common:
        say(
            f"{root.path}: {first_names(classes, SHOWN)} are taken for the classes; each has the same "
            f"folders inside ({first_names(sorted(common), SHOWN)}). Where those are the classes, name a "
            "table of labels with --labels."
        )
        return
    kind = next(kind for kind, names_inside in inside.items() if names_inside)
    example = f"{kind.name}/{min(inside[kind])}"
    say(f"{root.path}: pictures in folders inside of a class ({example}/) count for that class.")


def _refuse_splits_of_one(root: ClassRoot, classes: list[str]) -> None:
    """Raise DataError where classes such as cats_train and cats_test are the splits of one."""
    parts: dict[str, dict[str, str]] = {}
    for name in classes:
        if found := split_within(name):
            parts.setdefault(found[0], {})[found[1]] = name
    for splits in parts.values():
        if "train" in splits and len(splits) > 1:
            one, other = splits.pop("train"), next(iter(splits.values()))
            raise DataError(
                f"{root.path} holds {one}/ and {other}/, which are splits of one class; lay "
                "the splits outside and the classes inside, as in train/ and test/ with a folder per class."
            )


def _tell_odd_names(root: ClassRoot, classes: list[str], say: Callable[[str], None]) -> None:
    """Say which classes are called like a split, and which differ in capitals or blanks alone."""
    splits = [name for name in classes if split_of(name)]
    if root.split is None and len(splits) == 1 and len(classes) > 2:
        say(
            f"{root.path}: {splits[0]}/ holds pictures and counts as a class; where they have no labels yet, "
            "keep them elsewhere."
        )
    spellings: dict[str, list[str]] = {}
    for name in classes:
        spellings.setdefault("".join(name.casefold().split()), []).append(name)
    for names in spellings.values():
        if len(names) > 1:
            say(
                f"{root.path}: {first_names(names, SHOWN)} differ in capitals or blanks alone, and count as "
                f"{len(names)} classes."
            )


def _folders(kind: Path, paths: list[Path]) -> set[str]:
    """The folders of a class folder in which its pictures lie, first level."""
    parts = (path.relative_to(kind).parts for path in paths)
    return {part[0] for part in parts if len(part) > 1}
