"""Packed files that are somebody's data: one file, or shards in a folder, and the split that each is."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from residua.data.packed.opening import is_packed
from residua.data.pictures.files import all_subfolders, is_visible, walk_pictures
from residua.data.pictures.readers import ALONE, Readers, check_alike
from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.shards.archives import list_archives
from residua.data.sources.shards.tables import list_tables
from residua.data.sources.split_names import split_of
from residua.errors import DataError

_PLACES = frozenset(("data", "shards"))  # where publishers put them, beside folders of splits


def find_shards(place: Path) -> list[Path]:
    """The packed files that are the data of a place, in order: itself, or what lies in it.

    None for a folder of pictures.
    """
    if is_packed(place):
        return [place]
    shards = _packed_in(place)
    for part in _folders_in(place):
        if part.name.lower() in _PLACES or split_of(part.name):
            shards += _packed_in(part)
            for inner in _folders_in(part):
                shards += _packed_in(inner) if split_of(inner.name) else []
    # Beside pictures in folders archives are copies of them, or something else.
    return shards if shards and not any(walk_pictures(place)) else []


def list_shards(
    place: Path, shards: list[Path], say: Callable[[str], None], readers: Readers = ALONE, *, strict: bool
) -> list[LabelledFile]:
    """The pictures of packed files with their labels. strict: splits count only where train is among them.

    readers: of several processes each looks into its part of the files alone. Raises DataError naming the
    file, and the entry, that is not as it should be.
    """
    tables = [shard for shard in shards if shard.suffix.lower() == ".parquet"]
    if tables and len(tables) < len(shards):
        other = next(shard for shard in shards if shard not in tables)
        raise DataError(f"{place} holds both {tables[0].name} and {other.name}; keep one kind of shards.")
    root = place.parent if place in shards else place
    check_alike(readers, "shards", {f"the size of {_below(root, shard)}": _size(shard) for shard in shards})
    splits = _splits(place, shards, strict=strict)
    if tables:
        return list_tables(root, list(zip(shards, splits, strict=True)), say, readers)
    return list_archives(root, list(zip(shards, splits, strict=True)), say, readers, strict=strict)


def _splits(place: Path, shards: list[Path], *, strict: bool) -> list[str | None]:
    """The split of each shard by its name, or else by its folder's; None for all where there are none."""
    nothing: list[str | None] = [None] * len(shards)
    if shards == [place]:
        return nothing
    splits = [_split_in(shard.stem) or split_of(shard.parent.name) for shard in shards]
    if not any(splits) or (strict and "train" not in splits):
        return nothing
    if None in splits:
        shard = shards[splits.index(None)]
        raise DataError(
            f"{shard} names no split and others in {place} do; call it train-..., validation-... or "
            "test-..., or move it away."
        )
    return splits


def _split_in(stem: str) -> str | None:
    """The split that a part of a shard's name says: train-00000-of-00002, imagenet_val_0001."""
    return next(filter(None, map(split_of, re.split(r"[-_.]", stem))), None)


def _below(root: Path, shard: Path) -> str:
    return shard.relative_to(root).as_posix()


def _size(shard: Path) -> int:
    try:
        return shard.stat().st_size
    except OSError as problem:
        raise DataError(f"Cannot read {shard}: {problem.strerror or problem}.") from None


def _packed_in(folder: Path) -> list[Path]:
    names = sorted(entry for entry in _names(folder) if not entry.startswith("."))
    return [folder / name for name in names if is_packed(folder / name)]


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError as problem:
        raise DataError(f"Cannot look into {folder}: {problem.strerror or problem}.") from problem


def _folders_in(folder: Path) -> list[Path]:
    return [part for part in all_subfolders(folder) if is_visible(part.name)]
