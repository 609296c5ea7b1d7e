"""Folders inside of class folders: counted for the class above, or a sign that those are no classes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from residua.data.sources.folder_layout import ClassRoot
from residua.data.sources.split_names import is_fold, is_part, split_of
from residua.errors import DataError


def check_depth(root: ClassRoot, pictures: dict[Path, list[Path]], say: Callable[[str], None]) -> None:
    """Say how folders inside of class folders are read.

    pictures: those of each class folder that has any. Raises DataError where folds or splits would be taken
    for classes, or lie within them.
    """
    if not pictures:
        return
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
            f"{root.path} holds parts ({_few(classes)}) where classes were looked for; put the pictures of "
            "each class together, or name one part, or a table of all pictures with --labels."
        )
    if root.split not in (None, "train") or not any(inside.values()):
        return
    if several and common:
        say(
            f"{root.path}: {_few(classes)} are taken for the classes; each has the same folders inside "
            f"({_few(sorted(common))}). Where those are the classes, name a table of labels with --labels."
        )
        return
    kind = next(kind for kind, names_inside in inside.items() if names_inside)
    example = f"{kind.name}/{min(inside[kind])}"
    say(f"{root.path}: pictures in folders inside of a class ({example}/) count for that class.")


def _folders(kind: Path, paths: list[Path]) -> set[str]:
    """The folders of a class folder in which its pictures lie, first level."""
    parts = (path.relative_to(kind).parts for path in paths)
    return {part[0] for part in parts if len(part) > 1}


def _few(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
