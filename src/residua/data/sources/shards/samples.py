"""WebDataset's samples: entries of one key, such as 000001.jpg and 000001.cls or 000001.json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.shards.shard import Shard
from residua.data.sources.table_columns import label_names
from residua.errors import DataError
from residua.files.text_file import decode_text

Entry = tuple[str, str, str | None, str | None]  # a picture's name in its shard, label, group and split

_LABELS = ("cls", "label", "json", "txt")
_CLASS_LISTS = ("classnames.txt", "classes.txt", "class_names.txt", "labels.txt")


def label_entry(shard: Shard, name: str) -> str | None:
    """The entry of the same key as a picture's that holds its label, if there is one."""
    entries = (f"{_key_of(name)}.{ending}" for ending in _LABELS)
    return next((entry for entry in entries if shard.container.holds(entry)), None)


def _key_of(name: str) -> str:
    """What a sample's entries have in common: the path up to the first dot of the last part."""
    folder, _, last = name.rpartition("/")
    key = last.split(".", 1)[0]
    return f"{folder}/{key}" if folder else key


def read_samples(shard: Shard, classes: list[str] | None, root: Path) -> list[Entry]:
    """The pictures of a shard's samples with label and group.

    classes: the names of numbers, out of a list that lies in `root`. Raises DataError for a sample with two
    pictures, and for one without a label.
    """
    path, container = shard.path, shard.container
    entries: list[Entry] = []
    seen: set[str] = set()
    for name in shard.pictures:
        key = _key_of(name)
        if key in seen:
            raise DataError(f"{path} holds two pictures of the sample {key}; it takes one each.")
        seen.add(key)
        beside = label_entry(shard, name)
        if beside is None:
            raise DataError(f"{path} has no label for {name}: {key}.cls or {key}.json is not there.")
        label, group = _label(path, beside, container.read(beside))
        if classes is not None and label.isdecimal():
            if int(label) >= len(classes):
                raise DataError(
                    f"{path} gives {name} the class {label}, and the list of classes in {root} has "
                    f"{len(classes)}; mend either."
                )
            label = classes[int(label)]
        entries.append((name, label, group, shard.split))
    return entries


def check_groups(files: list[LabelledFile]) -> None:
    """Raise DataError where some samples name a group, and others none."""
    if len({file.group is None for file in files}) > 1:
        lacking = next(file for file in files if file.group is None)
        raise DataError(
            f"{lacking.name} names no group, and other samples do; give all of them one, or none."
        )


def class_list(root: Path) -> list[str] | None:
    """The names of numbered classes, where such a list lies beside the shards."""
    for name in _CLASS_LISTS:
        if (root / name).is_file():
            lines = decode_text((root / name).read_bytes())[0].splitlines()
            return [line.strip() for line in lines if line.strip()]
    return None


def _label(path: Path, entry: str, content: bytes) -> tuple[str, str | None]:
    """The label that an entry holds, and the group if it names one."""
    try:
        if not entry.endswith(".json"):
            text = decode_text(content)[0].strip()
            if not text or "\n" in text or len(text) > 200:
                raise ValueError("it takes one line with the class")
            return text, None
        document: Any = json.loads(content)
        if not isinstance(document, dict):
            return _text(document), None
        names = label_names(list(document))
        if not names:
            raise ValueError(f"it has no label among {', '.join(map(str, document))[:100]}")
        group = document.get("group")
        return _text(document[names[0]]), None if group is None else _text(group)
    except (ValueError, RecursionError) as problem:
        raise DataError(f"{entry} in {path} is no label: {str(problem)[:150]}.") from None


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise ValueError(f"{str(value)[:50]!r} is no class")
    return str(value)
