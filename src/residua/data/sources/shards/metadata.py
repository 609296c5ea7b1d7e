"""metadata.csv and metadata.jsonl inside an archive: a row a picture, as Hugging Face's folders have them."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from pathlib import Path

from residua.data.sources.label_table import label_rows
from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.shards.samples import Entry
from residua.data.sources.shards.shard import Shard
from residua.data.sources.split_names import split_of
from residua.data.sources.table_columns import choose_columns, names_columns
from residua.data.sources.text_table import rows_of


class _ArchiveFiles:
    """Finds the pictures of a table in an archive, from the folder in it where the table lies."""

    def __init__(self, root: Path, archive: Path, start: str, pictures: set[str]) -> None:
        self.folder, self._root, self._start, self._pictures = archive, root, start, pictures

    def find(self, cell: str, location: str) -> tuple[str, Path, bool] | None:
        """A picture's name from `root`, its path, and that it is called as written."""
        if not self.exists(cell):
            return None
        file = LabelledFile.packed(self._root, self.folder, posixpath.join(self._start, cell), "")
        return file.name, Path(file.path), True

    def exists(self, cell: str) -> bool:
        """Whether a cell names a picture here."""
        return posixpath.join(self._start, cell) in self._pictures

    def is_outside(self, cell: str) -> bool:
        """Nothing is looked for elsewhere."""
        return False

    def looked_for(self, cell: str) -> str:
        """Where a picture was looked for."""
        return f"{self.folder}/{posixpath.join(self._start, cell)}"


def read_metadata(root: Path, shard: Shard, say: Callable[[str], None]) -> list[Entry]:
    """The pictures that tables inside an archive name, with label and group; none without such a table.

    Raises DataError for a row whose picture is not there, or that has no label.
    """
    pictures = set(shard.pictures)
    entries: list[Entry] = []
    start = len(f"{shard.path}/")
    for table in shard.tables:
        folder = posixpath.dirname(table)
        split = shard.split or (split_of(posixpath.basename(folder)) if folder else None)
        shown, inside = shard.path / table, _ArchiveFiles(root, shard.path, folder, pictures)
        rows, separator = rows_of(shard.container.read(table), shown, names_columns, say)
        columns = choose_columns(rows[0].cells, rows[1:], inside.exists) if rows else None
        if columns is None or columns.label is None:
            continue
        found = label_rows(shown, (rows, separator), inside, say, most_absent=0)
        entries += [(str(file.path)[start:], file.label, file.group, split or file.split) for file in found]
    return entries
