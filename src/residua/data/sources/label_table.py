"""Labels from a table: a row a picture, with its file and its label, perhaps a group and a split."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from residua.data.sources.json_rows import Row
from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.split_names import split_of
from residua.data.sources.table_columns import (
    Columns,
    choose_columns,
    is_row_of_data,
    names_columns,
    repeated_column,
    says_validation,
    truth,
)
from residua.data.sources.table_files import Finder, TableFiles
from residua.data.sources.text_table import read_rows
from residua.errors import DataError

MOST_ABSENT = 0.05  # share of a table's files that may be absent
# What programs write where there is no label.
_NO_LABEL = frozenset(("nan", "none", "null", "na", "n/a", "<na>", "#n/a", "#na", "nat", "nil"))


def read_label_table(
    table: Path,
    folder: Path,
    say: Callable[[str], None] = lambda line: None,
    most_absent: float = MOST_ABSENT,
) -> list[LabelledFile]:
    """Read a table of pictures; paths are relative to `folder`, then to the table's own folder.

    Separators, encodings, names of columns and ways of writing paths are taken as people's programs have
    them; how that was read, which rows repeat, and which files are absent is said. Raises DataError for
    missing columns, absent labels, more absent files than `most_absent` (a share), files outside those two
    folders, and a file that is given two labels.
    """
    return label_rows(
        table, read_rows(table, names_columns, say), TableFiles(folder, table), say, most_absent
    )


def label_rows(
    table: Path,
    read: tuple[list[Row], str],
    files: Finder,
    say: Callable[[str], None],
    most_absent: float,
) -> list[LabelledFile]:
    """`read_label_table` of a table whose rows, and what separates cells, have been read."""
    columns, rows = _columns(table, *read, files, say)
    splits = _splits(table, columns, rows, say)
    labelled = _labelled(table, columns, rows, splits, say)
    found: dict[str, LabelledFile] = {}
    clashes: list[str] = []
    absent: list[Row] = []
    turned: list[str] = []
    for row, label, split in labelled:
        file = row.cells[columns.file]
        group = row.cells[columns.group] if columns.group is not None else None
        place = files.find(file, f"{table} line {row.line}")
        if place is None:
            absent.append(row)
            continue
        name, path, as_written = place
        if not as_written:
            turned.append(f"{file} as {name}")
        entry = LabelledFile(path, name, label, group, split)
        # A file may be named from the folder, and from the table's.
        earlier = found.setdefault(os.path.abspath(path), entry)
        if replace(earlier, path=path, name=name) != entry:
            clashes.append(f"{table} line {row.line} gives {file} {_difference(entry, earlier)}")
    if clashes:
        more = f" ({len(clashes) - 1} more rows differ so)" if len(clashes) > 1 else ""
        raise DataError(f"{clashes[0]}; keep one{more}.")
    if absent:
        _tell_absent(table, absent, columns, files, say, too_many=len(absent) > most_absent * len(labelled))
    if not found:
        raise DataError(f"{table} names no pictures.")
    repeated = len(labelled) - len(absent) - len(found)
    if repeated:
        line = "1 row repeats an earlier one and counts" if repeated == 1 else ""
        line = line or f"{repeated:,} rows repeat earlier ones and count"
        say(f"{table}: {line} once.")
    if turned:
        say(f"{table}: {len(turned):,} files were found by the ends of their paths ({turned[0]}).")
    _tell_like_labels(table, found, say)
    return list(found.values())


def _difference(one: LabelledFile, other: LabelledFile) -> str:
    """What two rows of a file say of it."""
    kinds = ("label", "group", "split")
    kind = next(kind for kind in kinds if getattr(one, kind) != getattr(other, kind))
    mine, theirs = (_shown(str(getattr(row, kind))) for row in (one, other))
    return f"the {kind} {mine!r}, an earlier line {theirs!r}"


def _shown(cell: str) -> str:
    """A cell as a message has room for."""
    return cell if len(cell) <= 250 else f"{cell[:250]}..."


def _tell_absent(
    table: Path,
    absent: list[Row],
    columns: Columns,
    files: Finder,
    say: Callable[[str], None],
    *,
    too_many: bool,
) -> None:
    """Say which files are absent; raises DataError where they are too many."""
    file = _shown(absent[0].cells[columns.file])
    first = f"line {absent[0].line}: {file}"
    if files.is_outside(file):
        first += f", which lies outside {files.folder}"
    more = f" and {len(absent) - 1:,} more" if len(absent) > 1 else ""
    if too_many:
        raise DataError(
            f"{table} names files that do not exist in {files.folder} ({first}{more}). The first was looked "
            f"for as {files.looked_for(file)}."
        )
    say(f"{table} names files that do not exist in {files.folder} ({first}{more}); they are left out.")


def _columns(
    table: Path, rows: list[Row], separator: str, files: Finder, say: Callable[[str], None]
) -> tuple[Columns, list[Row]]:
    """The columns that are read, and the rows after the header."""
    names = rows[0].cells if rows else []
    if rows and is_row_of_data(names, files.exists):
        columns = None
        if len(names) == 2:
            unnamed = ["column 1", "column 2"]
            # Where no file is where it is looked for, it is the first column that names them.
            columns = choose_columns(unnamed, rows, files.exists) or Columns(unnamed, 0, 1, None, None)
            say(
                f"{table} has no first line with names: files from column {columns.file + 1}, labels from "
                f"column {(columns.label or 0) + 1}."
            )
    else:
        rows = rows[1:]
        columns = choose_columns(names, rows, files.exists)
        if columns is not None and (words := columns.words()):
            say(f"{table} is read with {words}.")
    if columns is None:
        if not names:
            raise DataError(f"{table} is empty; it needs a line file,label and one for each picture.")
        if twice := repeated_column(names):
            raise DataError(f"{table} has two columns {twice!r}; remove one or call it otherwise.")
        start = separator.join(names)[:80]
        raise DataError(
            f"{table} needs a first line file,label or file,label,group, or other usual names of such "
            f"columns; it starts with {start!r}."
        )
    return columns, [_fitted(table, row, len(names)) for row in rows]


def _fitted(table: Path, row: Row, width: int) -> Row:
    """A row with as many cells as the header; separators too many at its end are let pass."""
    cells = list(row.cells)
    while len(cells) > width and not cells[-1]:
        cells.pop()
    if len(cells) != width:
        raise DataError(
            f"{table} line {row.line} has {len(cells)} cells, its first line {width}; mend the line."
        )
    return Row(row.line, cells)


def _splits(table: Path, columns: Columns, rows: list[Row], say: Callable[[str], None]) -> list[str | None]:
    """The split of each row; None for all where no column names train among others."""
    nothing: list[str | None] = [None] * len(rows)
    if columns.split is None:
        return nothing
    cells = [row.cells[columns.split] for row in rows]
    name = columns.names[columns.split]
    if says_validation(name):
        say(f"{table}: true in the column {name!r} is the validation split.")
        return ["validation" if truth(cell) else "train" for cell in cells]
    splits = [split_of(cell) for cell in cells]
    if not any(splits):
        say(f"{table}: the column {name!r} names no train, validation or test, and is not used.")
        return nothing
    say(f"{table}: the splits are those of the column {name!r}.")
    if None in splits:
        place = splits.index(None)
        raise DataError(
            f"{table} line {rows[place].line} has {_shown(cells[place])!r} in the column {name!r}; it takes "
            "train, validation or test."
        )
    if "train" not in splits:
        raise DataError(f"{table} gives no picture to train in the column {name!r}; give it some.")
    return splits


def _labelled(
    table: Path, columns: Columns, rows: list[Row], splits: list[str | None], say: Callable[[str], None]
) -> list[tuple[Row, str, str | None]]:
    """Rows with label and split; test rows without a label are left aside and said."""
    kept: list[tuple[Row, str, str | None]] = []
    empty: list[Row] = []
    absent: list[str] = []
    aside = 0
    for row, split in zip(rows, splits, strict=True):
        label = _label(table, columns, row)
        nameless = not row.cells[columns.file] or (columns.group is not None and not row.cells[columns.group])
        if split == "test" and not nameless and (not label or label.lower() in _NO_LABEL):
            aside += 1
        elif nameless or not label:
            empty.append(row)
        elif label.lower() in _NO_LABEL:
            absent.append(f"line {row.line}: {_shown(label)!r}")
        else:
            kept.append((row, label, split))
    if empty:
        more = f", and {len(empty) - 1} more do" if len(empty) > 1 else ""
        raise DataError(
            f"{table} line {empty[0].line} leaves a cell empty{more}; give every picture a file, a label and "
            "a group."
        )
    if absent:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise DataError(
            f"{table} says of pictures that they have no label ({absent[0]}{more}); give them one or remove "
            "the rows. Where it is the name of a class, write it otherwise."
        )
    if aside:
        say(f"{table}: {aside:,} rows of the test split have no label and are left aside.")
    return kept


def _label(table: Path, columns: Columns, row: Row) -> str:
    if columns.label is not None:
        return row.cells[columns.label]
    marked = [place for place in columns.marks if float(row.cells[place])]
    if len(marked) != 1:
        raise DataError(
            f"{table} line {row.line} marks {len(marked)} of {len(columns.marks)} classes; it takes one."
        )
    return columns.names[marked[0]]


def _tell_like_labels(table: Path, found: dict[str, LabelledFile], say: Callable[[str], None]) -> None:
    """Say which classes differ by capitals and blanks alone, or are one number."""
    spellings: dict[str, Counter[str]] = {}
    for file in found.values():
        spellings.setdefault(_folded(file.label), Counter())[file.label] += 1
    for counts in spellings.values():
        if len(counts) > 1:
            names = ", ".join(f"{name!r} ({count:,})" for name, count in counts.most_common())
            numbers = len({"".join(name.casefold().split()) for name in counts}) > 1
            how = "are one number" if numbers else "differ in capitals or blanks alone"
            say(f"{table}: {names} {how}, and count as {len(counts)} classes.")


def _folded(label: str) -> str:
    """What labels have in common that people take for one: small letters without blanks, 1 for 1.0 and 01."""
    text = "".join(label.casefold().split())
    try:
        return f"{float(text):g}" if text.isascii() and len(text) < 16 else text
    except ValueError:
        return text
