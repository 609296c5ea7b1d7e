"""metadata.csv and metadata.jsonl in a folder of pictures, at its top or in each of its splits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from residua.data.pictures.files import subfolders
from residua.data.sources.label_table import read_label_table
from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.split_names import split_of
from residua.data.sources.table_columns import fold, names_columns
from residua.data.sources.text_table import read_rows

NAMES = ("metadata.csv", "metadata.jsonl")
_FILE = "filename"  # as Hugging Face asks for it: file_name


def find_metadata(folder: Path) -> list[tuple[Path, Path, str | None]]:
    """Tables that name pictures and their labels: each with its folder and the split that this is."""
    if (table := _table(folder)) is not None:
        return [(table, folder, None)]
    parts = [(part, split_of(part.name)) for part in subfolders(folder)]
    found = [(_table(part), part, split) for part, split in parts if split]
    return [(table, part, split) for table, part, split in found if table is not None]


def list_metadata(
    folder: Path,
    tables: list[tuple[Path, Path, str | None]],
    say: Callable[[str], None],
    most_absent: float,
) -> list[LabelledFile]:
    """The pictures that tables in the folders of splits name, from the folder above. Raises DataError."""
    files: list[LabelledFile] = []
    for table, part, split in tables:
        start = part.relative_to(folder).as_posix()
        for file in read_label_table(table, part, say, most_absent):
            files.append(replace(file, name=f"{start}/{file.name}", split=split))
    return sorted(files, key=lambda file: file.name)


def _table(folder: Path) -> Path | None:
    """The table of a folder, where it has a column file_name and one of labels."""
    for name in NAMES:
        table = folder / name
        if table.is_file():
            rows, _ = read_rows(table, names_columns, lambda line: None)
            if rows and names_columns(rows[0].cells) and _FILE in map(fold, rows[0].cells):
                return table
    return None
