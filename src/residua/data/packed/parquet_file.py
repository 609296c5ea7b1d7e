"""A Parquet shard with pictures in a column, as Hugging Face writes them: {bytes, path} and a label."""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from residua.data.packed.limits import MOST_BYTES, check_count, too_large
from residua.data.packed.texts import Texts
from residua.errors import DataError, one_line

_MOST_GROUP = 2_000_000_000  # bytes of the pictures' column that are unpacked together
_HELD_GROUPS = 2
_ODD = re.compile(r"[^\w.\- ]+")


@dataclass(frozen=True)
class _Columns:
    """The column of pictures (dotted path of the bytes), that of their names if any, and all at the top."""

    data: str
    path: str | None
    others: tuple[str, ...]


class ParquetFile:
    """A shard whose footer has been read; rows are unpacked a group at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._groups: OrderedDict[int, Any] = OrderedDict()
        try:
            import pyarrow as arrow
            import pyarrow.parquet as parquet
        except ImportError:
            raise DataError(f"{path}: Parquet is read by an extra: pip install 'residua[parquet]'.") from None
        self._errors = (arrow.ArrowException, OSError, ValueError)
        try:
            with parquet.ParquetFile(path) as file:
                self._schema, self._facts = file.schema_arrow, file.metadata
        except self._errors as problem:
            reason = one_line(problem, 120)
            raise DataError(
                f"{path} is cut short or no Parquet file ({reason}); fetch or write it again."
            ) from None
        self.rows: int = self._facts.num_rows
        check_count(self.rows, path)
        self._columns = self._choose(arrow)
        sizes = [self._facts.row_group(number).num_rows for number in range(self._facts.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._names: Texts | None = None

    def _choose(self, arrow: Any) -> _Columns:
        """The columns of pictures: a struct with bytes, or bytes by themselves."""
        found: list[tuple[str, str | None, str]] = []
        for field in self._schema:
            kind = field.type
            if arrow.types.is_struct(kind):
                inner = {kind.field(i).name: kind.field(i).type for i in range(kind.num_fields)}
                if "bytes" in inner and _is_binary(arrow, inner["bytes"]):
                    named = f"{field.name}.path" if "path" in inner else None
                    found.append((f"{field.name}.bytes", named, field.name))
            elif _is_binary(arrow, kind):
                found.append((field.name, None, field.name))
        if len(found) != 1:
            several = f"has {len(found)} columns of bytes" if found else "has no column of pictures' bytes"
            names = ", ".join(self._schema.names)[:200]
            raise DataError(
                f"{self.path} {several}; it takes one, such as image: bytes, path. It has {names}."
            )
        data, named, top = found[0]
        return _Columns(data, named, tuple(name for name in self._schema.names if name != top))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns beside the pictures."""
        return self._columns.others

    def class_names(self, column: str) -> list[str] | None:
        """The names of a column's numbers, where the schema holds them (`ClassLabel`)."""
        try:
            document = json.loads((self._schema.metadata or {})[b"huggingface"])
            feature = document["info"]["features"][column]
            names = feature.get("names") or feature["class_label"]["names"]
        except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
            return None
        if isinstance(names, dict):
            names = [names.get(str(number)) for number in range(len(names))]
        return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None

    def column(self, name: str) -> list[Any]:
        """All values of a column beside the pictures."""
        values: list[Any] = self._read(None, [name]).column(name).to_pylist()
        return values

    def names(self) -> Iterator[str]:
        """A name for every row: its number, and what the picture was called."""
        if self._names is None:
            called: list[Any] = [None] * self.rows
            if self._columns.path is not None:
                top, _, inner = self._columns.path.rpartition(".")
                chunks = self._read(None, [self._columns.path]).column(top).chunks
                called = [name for chunk in chunks for name in chunk.field(inner).to_pylist()]
            self._names = Texts(_entry(row, name) for row, name in enumerate(called))
        return iter(self._names)

    def holds(self, name: str) -> bool:
        """Whether there is a row of that name."""
        number = name[:9]
        return number.isdecimal() and int(number) < self.rows

    def read(self, name: str) -> bytes:
        """The bytes of a row's picture. Raises DataError where there are none."""
        row = int(name[:9])
        group = int(np.searchsorted(self._starts, row, side="right")) - 1
        with self._lock:
            pictures = self._groups.get(group)
            if pictures is None:
                pictures = self._groups[group] = self._group(group)
                while len(self._groups) > _HELD_GROUPS:
                    self._groups.popitem(last=False)
        content: bytes | None = pictures[row - int(self._starts[group])].as_py()
        if content is None:
            raise DataError(f"{self.path} row {row} holds no bytes of a picture, only a path; embed them.")
        if len(content) > MOST_BYTES:
            raise too_large(f"row {row}", self.path)
        return content

    def _group(self, number: int) -> Any:
        """The pictures of a group of rows."""
        facts = self._facts.row_group(number)
        sizes = {
            facts.column(place).path_in_schema: facts.column(place).total_uncompressed_size
            for place in range(facts.num_columns)
        }
        if sizes.get(self._columns.data, 0) > _MOST_GROUP:
            raise DataError(
                f"{self.path} packs {sizes[self._columns.data] / 1e9:,.0f} GB into one group of rows; write "
                "it with smaller ones (row_group_size=1000)."
            )
        top, _, inner = self._columns.data.rpartition(".")
        table = self._read(number, [self._columns.data])
        whole = table.column(top or inner).combine_chunks()
        return whole.field(inner) if top else whole

    def _read(self, group: int | None, columns: list[str]) -> Any:
        import pyarrow.parquet as parquet

        try:
            with parquet.ParquetFile(self.path) as file:
                if group is None:
                    return file.read(columns=columns, use_threads=False)
                return file.read_row_group(group, columns=columns, use_threads=False)
        except self._errors as problem:
            reason = one_line(problem, 120)
            raise DataError(f"{self.path} is damaged ({reason}); fetch or write it again.") from None


def _entry(row: int, name: Any) -> str:
    """What a row is called: no part of it leads anywhere."""
    end = _ODD.sub("-", str(name).replace("\\", "/").rpartition("/")[2])[-80:] if name else ""
    return f"{row:09d}-{end}" if end else f"{row:09d}"


def _is_binary(arrow: Any, kind: Any) -> bool:
    return bool(arrow.types.is_binary(kind) or arrow.types.is_large_binary(kind))
