"""Labels of pictures in tar and zip archives: of WebDataset's samples, of a table or of folders inside."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from residua.data.packed.opening import open_packed
from residua.data.packed.texts import Texts
from residua.data.pictures.files import is_picture_name, is_visible
from residua.data.pictures.readers import Readers, each
from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.metadata_tables import NAMES
from residua.data.sources.shards.metadata import read_metadata
from residua.data.sources.shards.samples import (
    Entry,
    check_groups,
    class_list,
    label_entry,
    read_samples,
)
from residua.data.sources.shards.shard import Shard
from residua.data.sources.split_names import split_of
from residua.errors import DataError


def list_archives(
    root: Path,
    shards: list[tuple[Path, str | None]],
    say: Callable[[str], None],
    readers: Readers,
    *,
    strict: bool,
) -> list[LabelledFile]:
    """The labelled pictures of archives, named from `root`. shards: with their splits. Raises DataError."""
    seen: dict[Path, Shard] = {}  # what this process has looked into

    def look(place: tuple[Path, str | None]) -> bool:
        """Whether an archive begins with a picture that has an entry of its key with a label."""
        shard = seen[place[0]] = _look_into(*place)
        if not shard.pictures:
            raise DataError(f"{shard.path} holds no pictures; add some or move it away.")
        return label_entry(shard, shard.pictures[0]) is not None

    def listed(read: Callable[[Shard], list[Entry]]) -> list[LabelledFile]:
        found = each(readers, shards, lambda place: read(seen[place[0]]))
        files: list[LabelledFile] = []
        for (path, _), entries in zip(shards, found, strict=True):
            files += [LabelledFile.packed(root, path, *entry) for entry in entries]
        return files

    if any(list(each(readers, shards, look))):
        classes = class_list(root)
        files = listed(lambda shard: read_samples(shard, classes, root))
        check_groups(files)
        return files
    if files := listed(lambda shard: read_metadata(root, shard, say)):
        return files
    names = each(readers, shards, lambda place: list(seen[place[0]].pictures))
    whole = [Shard(path, split, own, []) for (path, split), own in zip(shards, names, strict=True)]
    return _from_folders(root, whole, say, strict=strict)


def _look_into(path: Path, split: str | None) -> Shard:
    tables: list[str] = []

    def pictures() -> Iterator[str]:
        for name in open_packed(path).names():
            if all(map(is_visible, name.split("/"))):
                if is_picture_name(name):
                    yield name
                elif posixpath.basename(name) in NAMES:
                    tables.append(name)

    return Shard(path, split, Texts(pictures()), tables)


def _from_folders(
    root: Path, shards: list[Shard], say: Callable[[str], None], *, strict: bool
) -> list[LabelledFile]:
    """The folder above a picture, below wrappers and splits, is its label; of many archives without folders
    each is a class."""
    parts = [(shard, name, name.split("/")[:-1]) for shard in shards for name in shard.pictures]
    if not any(folders for _, _, folders in parts):
        return _each_a_class(root, shards, say)
    loose = [entry for entry in parts if not entry[2]]
    if loose:
        shard, name, _ = loose[0]
        say(f"{shard.path}: {len(loose):,} pictures beside the folders ({name}) without a label, not used.")
        parts = [entry for entry in parts if entry[2]]
    depth = _wrappers([folders for _, _, folders in parts])
    firsts = {folders[depth] for _, _, folders in parts}
    named = {first: split_of(first) for first in firsts}
    inner = all(len(folders) > depth + 1 for _, _, folders in parts) and all(named.values())
    splits = inner and ("train" in named.values() or not strict)
    files = []
    for shard, name, folders in parts:
        split, label = shard.split, folders[depth]
        if splits:
            split, label = named[folders[depth]], folders[depth + 1]
        files.append(LabelledFile.packed(root, shard.path, name, label, split=split))
    return files


def _wrappers(folders: Iterable[list[str]]) -> int:
    """How many folders all pictures share that are no class: each of them has another one below."""
    every = list(folders)
    depth = 0
    while len({tuple(names[: depth + 1]) for names in every}) == 1 and all(
        len(names) > depth + 1 for names in every
    ):
        depth += 1
    return depth


def _each_a_class(root: Path, shards: list[Shard], say: Callable[[str], None]) -> list[LabelledFile]:
    if len(shards) == 1:
        raise DataError(
            f"{shards[0].path} holds pictures without labels; put them into one folder per class in it, or "
            "beside each a .cls or .json of the same name."
        )
    say(f"{root}: no folders in the archives; each is taken for a class, {shards[0].path.stem} first.")
    return [
        LabelledFile.packed(root, shard.path, name, shard.path.stem, split=shard.split)
        for shard in shards
        for name in shard.pictures
    ]
