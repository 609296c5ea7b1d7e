"""Labels of pictures in Parquet shards, by the names of their columns and the classes in their schema."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from residua.data.packed.opening import open_packed
from residua.data.packed.parquet_file import ParquetFile
from residua.data.pictures.readers import Readers, each
from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.table_columns import label_names
from residua.errors import DataError

_GROUP = "group"


def list_tables(
    root: Path, shards: list[tuple[Path, str | None]], say: Callable[[str], None], readers: Readers
) -> list[LabelledFile]:
    """Every row of the shards as a labelled picture, named from `root`.

    shards: with the split of each. Raises DataError.
    """
    files: list[LabelledFile] = []
    read = each(readers, shards, lambda shard: _read(shard[0]))
    first: tuple[str, Any] | None = None
    for (path, split), found in zip(shards, read, strict=True):
        labels = found["column"], found["classes"]
        if first is None:
            first = labels
            say(f"{root}: labels from the column {first[0]!r} of {len(shards)} Parquet shards.")
        elif labels != first:
            raise DataError(
                f"{path} has other labels than {shards[0][0].name}: the column {found['column']!r} and its "
                "classes must be the same in every shard."
            )
        for name, label, group in zip(found["names"], found["labels"], found["groups"], strict=True):
            files.append(LabelledFile.packed(root, path, name, label, group=group, split=split))
    return files


def _read(path: Path) -> dict[str, Any]:
    """A shard's names, labels and groups, in plain JSON types."""
    shard = cast(ParquetFile, open_packed(path))
    column = _label_column(path, shard)
    classes = shard.class_names(column)
    labels = [_label(path, row, value, classes) for row, value in enumerate(shard.column(column))]
    groups: list[Any] = shard.column(_GROUP) if _GROUP in shard.columns else [None] * len(labels)
    return {
        "column": column,
        "classes": classes,
        "names": list(shard.names()),
        "labels": labels,
        "groups": [None if group is None else str(group) for group in groups],
    }


def _label_column(path: Path, shard: ParquetFile) -> str:
    known = label_names(shard.columns)
    typed = [name for name in shard.columns if shard.class_names(name)]
    if not known and len(typed) != 1:
        names = ", ".join(shard.columns)[:200] or "no others"
        raise DataError(
            f"{path} has no column of labels (label, class, category or another usual name); beside the "
            f"pictures it has {names}."
        )
    return next((name for name in known if name in typed), (known or typed)[0])


def _label(path: Path, row: int, value: Any, classes: list[str] | None) -> str:
    if value is None or value == "" or isinstance(value, float | list | dict | bytes):
        raise DataError(f"{path} row {row} has the label {str(value)[:50]}; give every picture a class.")
    if classes is None or not isinstance(value, int):
        return str(value)
    if not 0 <= value < len(classes):
        raise DataError(
            f"{path} row {row} has the label {value}, and its schema names {len(classes)} classes; write it "
            "anew."
        )
    return classes[value]
