"""A folder of pictures: which files there are, what they are called and to which split they belong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from residua.data.pictures.decoding import Box, visible, walk_pictures
from residua.data.sources.layouts import Layout
from residua.data.sources.table import Row, read_table
from residua.data.splits import held_out_count, hold_out
from residua.errors import ConfigError, DataError

Say = Callable[[str], None]
_SPLITS = {"train": "train", "val": "validation", "validation": "validation", "test": "test"}


@dataclass(frozen=True)
class Listing:
    """The pictures of a folder before any is opened.

    paths, names, labels: one per picture; names are relative to the folder. splits: the places of each
    split's pictures. pools: the sets of places that are decoded together; a test/ folder is one of its
    own, so that it stays closed until it is asked for. groups: the group of each picture (see `Row`),
    called `group`; none where there are no groups. boxes: the part of each picture that is used; none for
    whole pictures. broken: names of pictures that are known to be damaged as published.
    """

    classes: tuple[str, ...]
    paths: tuple[Path, ...]
    names: tuple[str, ...]
    labels: NDArray[np.int64]
    splits: dict[str, NDArray[np.int64]]
    pools: tuple[NDArray[np.int64], ...]
    groups: tuple[str, ...] = ()
    group: str = "group"
    boxes: tuple[Box | None, ...] = ()
    broken: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Division:
    """How pictures are to be split.

    validation, test: what is held out, as a share below 1 or a number. seed: draws them. leaky: pay no
    heed to groups.
    """

    validation: float
    test: float
    seed: int
    leaky: bool = False


def list_folder(folder: Path, labels: str | None, division: Division, say: Say) -> Listing:
    """Find the pictures of a folder, with labels from its subfolders or from a table, and split them.

    folder: one folder per class, or train/, val/ and test/ with those in them; what is missing of val/
    and test/ is split off by seed, in proportion. labels: a CSV table instead of folders as labels.
    Raises DataError, in one line, for everything that would make the result unlike what was meant.
    """
    rows = _labelled(folder, labels) if labels else _by_folders(folder, say)
    parts = _parts(rows)
    rows = [replace(row, part=part) for row, part in zip(rows, parts, strict=True)]
    return _list(rows, folder, division, "group", say)


def list_layout(folder: Path, layout: Layout, division: Division, boxes: bool, say: Say) -> Listing:
    """Find the pictures of a published data set by its publisher's layout, and split them.

    boxes: use only the region of each picture that the publisher marked. Raises DataError as `list_folder`,
    and ConfigError where regions are asked for that nobody marked.
    """
    rows = layout.rows(folder)
    if not rows:
        raise DataError(f"{folder} holds no pictures; it should hold {layout.marks}.")
    if boxes and rows[0].box is None:
        raise ConfigError(f"--region is for gtsrb, whose tables mark the signs; {folder} has no such tables.")
    listing = _list(rows, folder, division, layout.group or "group", say)
    return replace(listing, boxes=tuple(row.box for row in rows) if boxes else (), broken=layout.broken)


def _list(rows: list[Row], folder: Path, division: Division, group: str, say: Say) -> Listing:
    parts = [row.part for row in rows]
    groups = _groups(rows, parts)
    training_classes = {row.label for row, part in zip(rows, parts, strict=True) if part in ("train", None)}
    for row in rows:
        if row.label not in training_classes:
            raise DataError(
                f"Class {row.label!r} occurs in {row.file} but not in train/; add pictures of it to train/."
            )
    classes = tuple(sorted(training_classes))
    if len(classes) < 2:
        raise DataError(
            f"{folder} holds only the class {classes[0]!r}; it takes two or more, a folder for each."
        )
    if division.leaky and groups is None:
        raise ConfigError(
            "--groups leaky is for pictures that come in groups, such as those of one driver; "
            f"{folder} names no groups."
        )
    number_of = {name: number for number, name in enumerate(classes)}
    numbers = np.array([number_of[row.label] for row in rows], dtype=np.int64)
    splits, pools = _divide(numbers, parts, None if division.leaky else groups, classes, division, say)
    if groups is not None and division.leaky:
        say(_leak(splits, groups, group))
    return Listing(
        classes,
        tuple(row.path for row in rows),
        tuple(row.file for row in rows),
        numbers,
        splits,
        pools,
        tuple(groups or ()),
        group,
    )


def _leak(splits: dict[str, NDArray[np.int64]], groups: list[str], group: str) -> str:
    inside = [{groups[place] for place in places.tolist()} for places in splits.values()]
    every = set(groups)
    torn = sum(sum(name in part for part in inside) > 1 for name in every)
    return (
        f"--groups leaky: {torn} of {len(every)} {group}s have pictures in more than one split, so "
        f"validation and test will look better than they are for a new {group}."
    )


def _by_folders(folder: Path, say: Say) -> list[Row]:
    """Rows for root/<class>/... or root/<split>/<class>/...; the name of the class's folder is the label."""
    inside = _folders(folder)
    present = [part for part in inside if part.name in _SPLITS]
    # A class may be called "train" (beside "bus"): only folders in it make it a split.
    if any(part.name == "train" and _folders(part) for part in present):
        roots = present
        others = [part.name for part in inside if part not in present]
        if others:
            say(f"{folder}: {', '.join(others)} beside train/ is no split and is not used.")
    elif present and all(_folders(part) for part in present):
        raise DataError(f"{folder} has {present[0].name}/ but no train/; add train/ with a folder per class.")
    else:
        roots = [folder]
    if {"val", "validation"} <= {part.name for part in roots}:
        raise DataError(f"{folder} has both val/ and validation/; keep one.")
    rows = []
    for root in roots:
        kinds = _folders(root)
        for kind in kinds:
            pictures = list(walk_pictures(kind))
            if not pictures and (root is folder or root.name == "train"):
                raise DataError(f"The class folder {kind} holds no pictures; add some or remove it.")
            rows += [Row(path, path.relative_to(folder).as_posix(), kind.name, None) for path in pictures]
        if not kinds:
            loose = any(walk_pictures(root))
            what = "holds pictures but no folders" if loose else "is empty"
            raise DataError(
                f"{root} {what}; put the pictures into one folder per class"
                + (" or name a table of them with --labels." if loose else ".")
            )
    return rows


def _folders(folder: Path) -> list[Path]:
    try:
        return sorted(
            (path for path in folder.iterdir() if visible(path.name) and path.is_dir()), key=lambda p: p.name
        )
    except OSError as problem:
        raise DataError(f"Cannot look into {folder}: {problem.strerror or problem}.") from problem


def _labelled(folder: Path, labels: str) -> list[Row]:
    table = Path(labels).expanduser()
    if not table.is_file() and (folder / labels).is_file():
        table = folder / labels
    return sorted(read_table(table, folder), key=lambda row: row.file)


def _parts(rows: list[Row]) -> list[str | None]:
    """The split that each picture's folder names; None for all unless train/ is among them."""
    firsts = [row.file.split("/", 1)[0] if "/" in row.file else "" for row in rows]
    if "train" not in firsts or any(first not in _SPLITS for first in firsts):
        return [None] * len(rows)
    # A class may be called "train": then the files below it are pictures, not folders of classes.
    if all(row.label == first for row, first in zip(rows, firsts, strict=True)):
        return [None] * len(rows)
    return [_SPLITS[first] for first in firsts]


def _groups(rows: list[Row], parts: list[str | None]) -> list[str] | None:
    if rows[0].group is None:
        return None
    sides: dict[str, str | None] = {}
    for row, part in zip(rows, parts, strict=True):
        group = row.group or ""
        if sides.setdefault(group, part) != part:
            raise DataError(
                f"Group {group!r} has pictures in more than one of train/, val/ and test/; move them."
            )
    return [row.group or "" for row in rows]


def _divide(
    labels: NDArray[np.int64],
    parts: list[str | None],
    groups: list[str] | None,
    classes: tuple[str, ...],
    division: Division,
    say: Say,
) -> tuple[dict[str, NDArray[np.int64]], tuple[NDArray[np.int64], ...]]:
    """Places of train, validation and test, and the pools that are decoded together."""
    everything = np.arange(len(labels))
    named = {name: np.flatnonzero([part == name for part in parts]) for name in set(parts) if name}
    rest = named.get("train", everything)
    pools = [rest, *(places for name, places in sorted(named.items()) if name != "train")]

    def take(
        places: NDArray[np.int64], amount: float, option: str
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        count = held_out_count(amount, len(places), option)
        mine = [groups[place] for place in places] if groups else None
        kept, held = hold_out(
            labels[places], count, division.seed, classes, option=option, groups=mine, say=say
        )
        return places[kept], places[held]

    splits = dict(named)
    if "test" not in splits:
        if division.test == 0:
            raise ConfigError(
                "--test 0 leaves nothing to test on; give a share such as 0.1, or a test/ folder."
            )
        rest, splits["test"] = take(rest, division.test, "test")
    if "validation" not in splits:
        rest, splits["validation"] = take(rest, division.validation, "validation")
    splits["train"] = rest
    return splits, tuple(pools)
