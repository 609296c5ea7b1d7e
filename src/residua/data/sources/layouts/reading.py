"""What the layouts share: text files line by line, tables by column, folders of pictures."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

from residua.data.pictures.files import subfolders, walk_pictures
from residua.data.sources.labelled_file import LabelledFile
from residua.errors import DataError
from residua.files.text_file import decode_text

WNID = re.compile(r"n\d{8}")


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that hold anything. Raises DataError."""
    try:
        text, _ = decode_text(path.read_bytes())
    except OSError as problem:
        again = "; unpack the archive again" if isinstance(problem, FileNotFoundError) else ""
        raise DataError(f"Cannot read {path}: {problem.strerror or problem}{again}.") from problem
    except UnicodeDecodeError:
        raise DataError(f"{path} is no text in UTF-8; fetch it again.") from None
    return [line for line in text.splitlines() if line.strip()]


def read_columns(path: Path, columns: Sequence[str], separator: str = ",") -> list[dict[str, str]]:
    """A table's lines as {column: cell}, with the line's number under "".

    columns: must be in the first line. Raises DataError naming what is missing, or the line that is
    longer or shorter than the first.
    """
    lines = list(csv.reader(read_lines(path), delimiter=separator))
    header = [cell.strip() for cell in lines[0]] if lines else []
    missing = [column for column in columns if column not in header]
    if missing:
        raise DataError(
            f"{path} needs a first line with {separator.join(columns)}; {', '.join(missing)} is not in it."
        )
    rows = []
    for number, cells in enumerate(lines[1:], 2):
        if len(cells) != len(header):
            raise DataError(
                f"{path} line {number} has {len(cells)} cells, its first line {len(header)}; mend the line."
            )
        rows.append({"": str(number)} | dict(zip(header, (cell.strip() for cell in cells), strict=True)))
    return rows


def class_files(root: Path, parent: Path, split: str | None, names: dict[str, str]) -> list[LabelledFile]:
    """Files of parent/CLASS/.../picture, below root; names: what a class's folder is called in the model."""
    return [
        LabelledFile.below(root, path, names.get(kind.name, kind.name), split=split)
        for kind in subfolders(parent)
        for path in walk_pictures(kind)
    ]


def first_of(names: Sequence[str]) -> str:
    """The first of several names, and how many more there are."""
    return names[0] + (f" (and {len(names) - 1:,} more)" if len(names) > 1 else "")
