"""Labels from a CSV table with the columns file,label[,group]."""

from __future__ import annotations

import csv
import os
from pathlib import Path

from residua.data.sources.labelled_file import LabelledFile
from residua.errors import DataError


def read_label_table(table: Path, folder: Path) -> list[LabelledFile]:
    """Read a table of pictures; paths are relative to `folder`, then to the table's own folder.

    Rows that repeat are kept once. Raises DataError for missing columns, empty labels, absent files,
    files outside those two folders, and a file that is given two labels.
    """
    header, lines = _read_lines(table)
    at_file, at_label = header.index("file"), header.index("label")
    at_group = header.index("group") if "group" in header else None
    rows: dict[str, LabelledFile] = {}
    absent: list[str] = []
    for number, cells in enumerate(lines, 2):
        if not any(cell.strip() for cell in cells):
            continue
        location = f"{table} line {number}"
        if len(cells) != len(header):
            raise DataError(
                f"{location} has {len(cells)} cells, its first line {len(header)}; mend the line."
            )
        file, label = cells[at_file].strip(), cells[at_label].strip()
        group = cells[at_group].strip() if at_group is not None else None
        if not file or not label or group == "":
            raise DataError(
                f"{location} leaves a cell empty; give every picture a file, a label and a group."
            )
        name, path = _locate(file, folder, table, location)
        if path is None:
            absent.append(f"line {number}: {file}")
            continue
        row, earlier = LabelledFile(path, name, label, group), rows.get(name)
        if earlier is not None and earlier != row:
            differing = "label" if earlier.label != label else "group"
            raise DataError(
                f"{location} gives {file} the {differing} {getattr(row, differing)!r}, an earlier line "
                f"{getattr(earlier, differing)!r}; keep one."
            )
        rows[name] = row
    if absent:
        more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
        raise DataError(f"{table} names files that do not exist in {folder} ({absent[0]}{more}).")
    if not rows:
        raise DataError(f"{table} names no pictures.")
    return list(rows.values())


def _read_lines(table: Path) -> tuple[list[str], list[list[str]]]:
    """The columns' names in small letters, and the cells of every line after the first."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            lines = list(csv.reader(stream, strict=True))
    except OSError as problem:
        raise DataError(f"Cannot read the labels {table}: {problem.strerror or problem}.") from problem
    except (UnicodeDecodeError, csv.Error) as problem:
        raise DataError(f"{table} is no CSV table in UTF-8 ({problem}); save it as one.") from problem
    header = [cell.strip().lower() for cell in lines[0]] if lines else []
    for column in ("file", "label"):
        if header.count(column) != 1:
            raise DataError(
                f"{table} needs a first line file,label or file,label,group; it starts with "
                f"{','.join(header)[:80]!r}."
            )
    return header, lines[1:]


def _locate(file: str, folder: Path, table: Path, location: str) -> tuple[str, Path | None]:
    """A file's name relative to the folder that holds it, and its path; None where there is no file."""
    inside = False
    for base in (folder, table.parent):
        root = os.path.abspath(base)
        path = os.path.normpath(os.path.join(root, file))
        if not Path(path).is_relative_to(root):
            continue
        inside = True
        if os.path.isfile(path):
            return Path(os.path.relpath(path, root)).as_posix(), Path(path)
    if not inside:
        raise DataError(
            f"{location} names {file}, which lies outside {folder} and the table's folder; move it there."
        )
    return file, None
