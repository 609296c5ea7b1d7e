"""The pictures of a folder before any is opened: files, classes, groups, and the split of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from residua.data.packed.texts import Paths, Texts
from residua.data.pictures.decoding import Box
from residua.data.pictures.files import PassedOver, passed_over_line
from residua.data.pictures.readers import ALONE, Readers
from residua.data.sources.class_folders import list_own_files
from residua.data.sources.folder_layout import refuse
from residua.data.sources.label_table import MOST_ABSENT
from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.layouts.table import Layout
from residua.data.splits import held_out_count, hold_out
from residua.errors import ConfigError, DataError

Indices = NDArray[np.int64]

# Trained on: by all rules. Looked at, by `check` and `augment`: as for training, but what stands against that
# is kept, and not refused. Measured: whatever is there, in the splits that its folders name, and no others.
Purpose = Literal["train", "look", "measure"]


@dataclass(frozen=True)
class Listing:
    """The pictures of a folder before any is opened.

    paths, names, labels: one per picture; names are relative to the folder. splits: the indices of each
    split's pictures. pools: the sets of indices that are decoded together; a test/ folder is one of its
    own, so that it stays closed until it is asked for. groups: the group of each picture (see
    `LabelledFile`), called `group`; none where there are no groups. boxes: the part of each picture that is
    used; none for whole pictures. broken: names of pictures that are known to be damaged as published.
    others: files beside the pictures that are not read. obstacles: why training would refuse them, where they
    are only looked at. archives: (N,) the number of the packed file that each is in, where all are in some.
    """

    classes: tuple[str, ...]
    paths: Sequence[Path]
    names: Sequence[str]
    labels: Indices
    splits: dict[str, Indices]
    pools: tuple[Indices, ...]
    groups: tuple[str, ...] = ()
    group: str = "group"
    boxes: tuple[Box | None, ...] = ()
    broken: frozenset[str] = frozenset()
    others: PassedOver = field(default_factory=dict)
    obstacles: tuple[str, ...] = ()
    archives: Indices | None = None

    def owners(self, size: int) -> Indices:
        """(N,) which of `size` processes reads a picture: whole packed files, where there are so many."""
        count = len(self.paths)
        if self.archives is not None and int(self.archives.max()) + 1 >= size:
            return self.archives % size
        return np.arange(count) * size // max(1, count)


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


def list_folder(
    folder: Path,
    labels: str | Path | None,
    division: Division,
    say: Callable[[str], None],
    most_absent: float = MOST_ABSENT,
    purpose: Purpose = "train",
    readers: Readers = ALONE,
) -> Listing:
    """Find the pictures of somebody's own folder, see `list_own_files`, and split them.

    What is missing of val/ and test/ is split off by seed, in proportion, unless they are only measured.
    most_absent: see there. readers: who else reads packed files. Raises DataError, in one line.
    """
    others: PassedOver = {}
    obstacles: list[str] = []
    obstacle = refuse if purpose == "train" else obstacles.append
    files = list_own_files(folder, labels, say, others, most_absent, obstacle, readers)
    if not files:
        raise DataError(f"{folder} holds no pictures in class folders; add some, or name another folder.")
    listing = _list(files, folder, division, "group", say, purpose)
    if line := passed_over_line(str(folder), others):
        say(line)
    return replace(listing, others=others, obstacles=(*obstacles, *listing.obstacles))


def list_layout(
    folder: Path, layout: Layout, division: Division, boxes: bool, say: Callable[[str], None]
) -> Listing:
    """Find the pictures of a published data set by its publisher's layout, and split them.

    boxes: use only the region of each picture that the publisher marked. Raises DataError as `list_folder`,
    and ConfigError where regions are asked for that nobody marked.
    """
    files = layout.list_files(folder)
    if not files:
        raise DataError(f"{folder} holds no pictures; it should hold {layout.marks}.")
    if boxes and files[0].box is None:
        raise ConfigError(f"--region is for gtsrb, whose tables mark the signs; {folder} has no such tables.")
    listing = _list(files, folder, division, layout.group or "group", say)
    return replace(listing, boxes=tuple(file.box for file in files) if boxes else (), broken=layout.broken)


def _list(
    files: list[LabelledFile],
    folder: Path,
    division: Division,
    group: str,
    say: Callable[[str], None],
    purpose: Purpose = "train",
) -> Listing:
    obstacles: list[str] = []
    obstacle = refuse if purpose == "train" else obstacles.append
    groups = None if purpose == "measure" else _groups(files)
    training_classes = {file.label for file in files if file.split in ("train", None)}
    for file in files:
        if file.label not in training_classes:
            obstacle(
                f"Class {file.label!r} occurs in {file.name} but not in train/; add pictures of it to train/."
            )
            break
    classes = tuple(sorted(training_classes if purpose == "train" else {file.label for file in files}))
    if len(classes) < 2:
        obstacle(f"{folder} holds only the class {classes[0]!r}; it takes two or more, a folder for each.")
    if division.leaky and groups is None:
        raise ConfigError(
            "--groups leaky is for pictures that come in groups, such as those of one driver; "
            f"{folder} names no groups."
        )
    number_of = {name: number for number, name in enumerate(classes)}
    labels = np.array([number_of[file.label] for file in files], dtype=np.int64)
    named = [file.split for file in files]
    own = None if division.leaky else groups
    splits, pools = named_splits(named)
    if purpose != "measure":
        try:
            splits, pools = _divide(labels, named, own, classes, division, say)
        except (DataError, ConfigError) as error:
            if purpose == "train":
                raise
            obstacle(str(error))
    if groups is not None and division.leaky:
        say(_leak_message(splits, groups, group))
    return Listing(
        classes,
        *_texts(files),
        labels,
        splits,
        pools,
        tuple(groups or ()),
        group,
        obstacles=tuple(obstacles),
        archives=_number_archives(files),
    )


def _texts(files: list[LabelledFile]) -> tuple[Paths, Texts]:
    """Paths and names: of one buffer, where the names are the ends of the paths."""
    names, first = Texts(file.name for file in files), files[0]
    before = str(first.path).removesuffix(first.name)
    if all(str(file.path) == before + file.name for file in files):
        return Paths(names.below(before)), names
    return Paths(Texts(str(file.path) for file in files)), names


def _number_archives(files: list[LabelledFile]) -> Indices | None:
    if not all(file.archive for file in files):
        return None
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(file.archive, len(numbers)) for file in files], np.int64)


def _leak_message(splits: dict[str, Indices], groups: list[str], group: str) -> str:
    inside = [{groups[index] for index in indices.tolist()} for indices in splits.values()]
    every = set(groups)
    torn = sum(sum(name in part for part in inside) > 1 for name in every)
    return (
        f"--groups leaky: {torn} of {len(every)} {group}s have pictures in more than one split, so "
        f"validation and test will look better than they are for a new {group}."
    )


def _groups(files: list[LabelledFile]) -> list[str] | None:
    """The group of each picture, None where there are none. Raises DataError for one in two splits."""
    if files[0].group is None:
        return None
    sides: dict[str, str | None] = {}
    for file in files:
        group = file.group or ""
        if sides.setdefault(group, file.split) != file.split:
            raise DataError(
                f"Group {group!r} has pictures in more than one of train/, val/ and test/; move them."
            )
    return [file.group or "" for file in files]


def _divide(
    labels: Indices,
    named: list[str | None],
    groups: list[str] | None,
    classes: tuple[str, ...],
    division: Division,
    say: Callable[[str], None],
) -> tuple[dict[str, Indices], tuple[Indices, ...]]:
    """Indices of train, validation and test, and the pools that are decoded together.

    named: the split that each picture's folder names, if any.
    """
    splits, pools = named_splits(named)
    rest = splits["train"]

    def split_off(indices: Indices, amount: float, option: str) -> tuple[Indices, Indices]:
        count = held_out_count(amount, len(indices), option)
        own = [groups[index] for index in indices] if groups else None
        kept, held_out = hold_out(
            labels[indices], count, division.seed, classes, option=option, groups=own, say=say
        )
        return indices[kept], indices[held_out]

    if not len(splits["test"]):
        if division.test == 0:
            raise ConfigError(
                "--test 0 leaves nothing to test on; give a share such as 0.1, or a test/ folder."
            )
        rest, splits["test"] = split_off(rest, division.test, "test")
    if not len(splits["validation"]):
        rest, splits["validation"] = split_off(rest, division.validation, "validation")
    splits["train"] = rest
    return splits, pools


def named_splits(named: list[str | None]) -> tuple[dict[str, Indices], tuple[Indices, ...]]:
    """The splits that folders name, some of them empty, and the pools; what is of none is in train."""
    splits = {
        name: np.flatnonzero([(split or "train") == name for split in named])
        for name in ("train", "validation", "test")
    }
    return splits, tuple(splits[name] for name in ("train", "test", "validation") if len(splits[name]))
