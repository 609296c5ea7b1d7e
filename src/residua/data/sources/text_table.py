"""A table of text as programs write it: any usual separator, encoding and end of line."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from residua.data.sources.json_rows import JSON_LINES, Row, rows_of_json
from residua.errors import DataError
from residua.files.regular import require_file
from residua.files.text_file import WINDOWS, decode_text

_SEPARATORS = (",", ";", "\t", "|", " ")
_LOOKED_AT = 20  # lines by which the separator is judged
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?[,;\t|]*\s*', re.IGNORECASE)  # Excel's, before the first line
_FOREIGN = {
    b"PK\x03\x04": "a workbook (Excel or another): open it and save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: open it and save the sheet as CSV",
    b"PAR1": "a Parquet file: write the table as CSV",
    b"\x1f\x8b": "packed by gzip: unpack it",
    b"%PDF": "a PDF document: save the table as CSV",
}


def read_rows(
    table: Path, is_header: Callable[[list[str]], bool], say: Callable[[str], None]
) -> tuple[list[Row], str]:
    """The lines of a table that hold anything, the header among them, and the separator of their cells.

    is_header: whether cells name the columns that are looked for, by which the separator is found. Raises
    DataError for what is no such table.
    """
    require_file(table, DataError, "the labels")
    try:
        content = table.read_bytes()
    except OSError as problem:
        raise DataError(f"Cannot read the labels {table}: {problem.strerror or problem}.") from problem
    return rows_of(content, table, is_header, say)


def rows_of(
    content: bytes, table: Path, is_header: Callable[[list[str]], bool], say: Callable[[str], None]
) -> tuple[list[Row], str]:
    """`read_rows` of a table whose bytes have been read; by its suffix one of JSON lines."""
    if table.suffix.lower() in JSON_LINES:
        return rows_of_json(content, table), ","
    for start, kind in _FOREIGN.items():
        if content.startswith(start):
            raise DataError(f"{table} is no table of text but {kind}.")
    try:
        text, encoding = decode_text(content)
        text, given, skipped = _without_separator_line(text)
        separators = [given] if given else [mark for mark in _SEPARATORS if mark in text] or [","]
        tables = {mark: _split(text, mark, skipped) for mark in separators[:1]}
        first = tables[separators[0]]
        if not (first and is_header(first[0].cells)):
            # What one separator makes of another's table may break the rules of quoting.
            for mark in separators[1:]:
                try:
                    tables[mark] = _split(text, mark, skipped)
                except csv.Error:
                    continue
        separator = _best(tables, is_header)
    except (UnicodeDecodeError, csv.Error) as problem:
        raise DataError(f"{table} is no CSV table in UTF-8 ({problem}); save it as one.") from problem
    if encoding == WINDOWS:
        say(f"{table} is not in UTF-8 and was read as Windows-1252; letters may look odd if it is neither.")
    return tables[separator], separator


def _without_separator_line(text: str) -> tuple[str, str | None, int]:
    """The text after a line sep=; at its start, the separator that it names, and the lines left out."""
    first, _, rest = text.partition("\n")
    match = _SEPARATOR_LINE.fullmatch(first)
    return (rest, match[1], 1) if match else (text, None, 0)


def _split(text: str, separator: str, skipped: int) -> list[Row]:
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, strict=True, skipinitialspace=separator != "\t"
    )
    rows = []
    for cells in reader:
        clean = [cell.strip(" \t\r\n\v\f\xa0\u200b\ufeff") for cell in cells]
        if any(clean):
            rows.append(Row(reader.line_num + skipped, clean))
    return rows


def _best(tables: dict[str, list[Row]], is_header: Callable[[list[str]], bool]) -> str:
    """The separator under which the first line names columns, else that with the most even lines."""
    for separator, rows in tables.items():
        if rows and is_header(rows[0].cells):
            return separator

    def evenness(separator: str) -> float:
        lengths = Counter(len(row.cells) for row in tables[separator][:_LOOKED_AT])
        (length, count), *_ = lengths.most_common(1) or [(0, 0)]
        return count / max(sum(lengths.values()), 1) if length > 1 else 0.0

    return max(tables, key=evenness)
