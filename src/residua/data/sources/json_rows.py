"""A table of JSON lines, an object a picture, as rows of cells."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from residua.errors import DataError
from residua.files.text_file import decode_text

JSON_LINES = frozenset((".jsonl", ".ndjson"))


@dataclass(frozen=True)
class Row:
    """The cells of a line, without blanks around them, and the line's number."""

    line: int
    cells: list[str]


def rows_of_json(content: bytes, table: Path) -> list[Row]:
    """The keys of all objects as the first row, then a row for each. Raises DataError naming the line."""
    objects: list[tuple[int, dict[str, Any]]] = []
    keys: dict[str, None] = {}
    for number, line in enumerate(decode_text(content)[0].splitlines(), start=1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            raise DataError(f"{table} line {number} is no JSON object; it takes one a line.")
        objects.append((number, document))
        keys |= dict.fromkeys(document)
    if not objects:
        return []
    rows = [Row(number, [_cell(document.get(key)) for key in keys]) for number, document in objects]
    return [Row(0, list(keys)), *rows]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value.strip() if isinstance(value, str) else json.dumps(value)
