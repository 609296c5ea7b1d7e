"""metadata.csv and metadata.jsonl inside an archive: a row a picture, as Hugging Face's folders have them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from pathlib import Path

from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.metadata_tables import NAMES
from residua.data.sources.shards.shard import Shard
from residua.data.sources.split_names import split_of
from residua.data.sources.table_columns import choose_columns, names_columns
from residua.data.sources.text_table import rows_of
from residua.errors import DataError


def read_metadata(root: Path, shard: Shard, say: Callable[[str], None]) -> list[LabelledFile]:
    """The pictures that tables inside an archive name; none where there is no table with labels.

    Raises DataError for a row whose picture is not there, or that has no label.
    """
    tables = [name for name in shard.others if posixpath.basename(name) in NAMES]
    here = set(shard.pictures)
    files: list[LabelledFile] = []
    for table in tables:
        folder = posixpath.dirname(table)
        own = split_of(posixpath.basename(folder)) if folder else None
        shown = shard.path / table

        def inside(cell: str, folder: str = folder) -> bool:
            return posixpath.join(folder, cell) in here

        rows, _ = rows_of(shard.container.read(table), shown, names_columns, say)
        columns = choose_columns(rows[0].cells, rows[1:], inside) if rows else None
        if columns is None or columns.label is None:
            continue
        for row in rows[1:]:
            if len(row.cells) != len(rows[0].cells):
                raise DataError(f"{shown} line {row.line} has {len(row.cells)} cells; mend the line.")
            name, label = row.cells[columns.file], row.cells[columns.label]
            if not inside(name):
                raise DataError(f"{shown} line {row.line} names {name[:100]!r}, which is not in the archive.")
            if not label:
                raise DataError(f"{shown} line {row.line} gives {name} no label.")
            group = row.cells[columns.group] if columns.group is not None else None
            entry = posixpath.join(folder, name)
            files.append(LabelledFile.packed(root, shard.path, entry, label, group, shard.split or own))
    return files
