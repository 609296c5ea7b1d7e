"""Which columns of a table hold files, labels, groups and splits, by their names and by what is in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from residua.data.pictures.files import SUFFIXES
from residua.data.sources.json_rows import Row

# The surest first; without capitals, blanks and underscores.
_FILES = (
    *("file", "filename", "filepath", "path", "imagepath", "imagefile", "imagefilename", "imagename"),
    *("image", "img", "imgpath", "imgfile", "imgname", "picture", "picturefile", "photo", "files", "images"),
    *("fname", "relpath", "relativepath", "fullpath", "imageid", "imgid", "id", "name", "uri"),
)
_LABELS = (
    *("label", "labels", "class", "classname", "classlabel", "labelname", "category", "categoryname"),
    *("target", "targetname", "species", "diagnosis", "breed", "dx", "groundtruth", "annotation", "y"),
    *("kind", "type", "tag", "classid", "labelid", "categoryid"),
)
_GROUPS = ("group",)
_SPLITS = (
    *("split", "set", "subset", "partition", "usage", "phase", "dataset", "datasplit", "splitname"),
    *("settype", "traintest", "fold"),
)
_VALID = ("isvalid", "isvalidation", "isval", "valid")  # fastai's: true for validation, else training
_INDEX = re.compile(r"|index|unnamed\d*|id|nr|no|number|row|rowid|imageid")
_LOOKED_AT = 5  # rows whose cells are looked for as files


@dataclass(frozen=True)
class Columns:
    """Places of columns. label: None where `marks` are columns of 0 and 1, one for each class."""

    names: Sequence[str]
    file: int
    label: int | None
    group: int | None
    split: int | None
    marks: tuple[int, ...] = ()

    def words(self) -> str:
        """How the table is read; empty where its columns are called file, label and group."""
        parts = [f"files from {self.names[self.file]!r}"]
        if self.label is not None:
            parts.append(f"labels from {self.names[self.label]!r}")
        else:
            parts.append(f"labels from the {len(self.marks)} columns of 0 and 1")
        label = "" if self.label is None else self.names[self.label].lower()
        if self.names[self.file].lower() == "file" and label == "label":
            return ""
        return ", ".join(parts)


def fold(name: str) -> str:
    """A column's name without capitals, blanks and signs."""
    return re.sub(r"[\W_]+", "", name.lower())


def names_columns(cells: Sequence[str]) -> bool:
    """Whether a line names a column of files and one of labels."""
    folded = [fold(cell) for cell in cells]
    return _first(folded, _FILES) is not None and _first(folded, _LABELS) is not None


def label_names(names: Sequence[Any]) -> list[str]:
    """Those of the names by which people call a column of labels, the surest first."""
    by_fold = {fold(name): name for name in reversed(names) if isinstance(name, str)}
    return [by_fold[known] for known in _LABELS if known in by_fold]


def is_row_of_data(cells: Sequence[str], exists: Callable[[str], bool]) -> bool:
    """Whether a table's first line is no header: it names a picture already."""
    if names_columns(cells):
        return False
    return any(Path(cell).suffix.lower() in SUFFIXES or exists(cell) for cell in cells if cell)


def choose_columns(
    names: Sequence[str], rows: Sequence[Row], exists: Callable[[str], bool]
) -> Columns | None:
    """The columns to read; None where they cannot be told. exists: whether a cell names a picture."""
    folded = [fold(name) for name in names]
    split, group = _first(folded, _SPLITS), _first(folded, _GROUPS)
    if split is None and (valid := _first(folded, _VALID)) is not None and are_truths(valid, rows):
        split = valid
    free = [place for place in range(len(names)) if place not in (split, group)]
    file = _file_column(folded, free, rows, exists)
    if file is None:
        return None
    label = _first([name if place != file else "" for place, name in enumerate(folded)], _LABELS)
    rest = [place for place in free if place != file and not (folded and _INDEX.fullmatch(folded[place]))]
    if label is None:
        if len(rest) > 1 and _are_marks(rest, rows):
            return Columns(names, file, None, group, split, tuple(rest))
        if len(rest) != 1:
            return None
        label = rest[0]
    if (names[file] and folded.count(folded[file]) > 1) or folded.count(folded[label]) > 1:
        return None
    return Columns(names, file, label, group, split)


def _file_column(
    folded: list[str], free: list[int], rows: Sequence[Row], exists: Callable[[str], bool]
) -> int | None:
    known = [folded.index(name) for name in _FILES if name in folded and folded.index(name) in free]
    for place in dict.fromkeys([*known, *free]):
        cells = [row.cells[place] for row in rows[:_LOOKED_AT] if place < len(row.cells)]
        if any(cell and exists(cell) for cell in cells):
            return place
    return known[0] if known else None


def _are_marks(places: list[int], rows: Sequence[Row]) -> bool:
    """Whether columns hold nothing but 0 and 1: a class each."""
    cells = {row.cells[place] for row in rows for place in places if place < len(row.cells)}
    return bool(cells) and cells <= {"0", "1", "0.0", "1.0"}


def repeated_column(names: Sequence[str]) -> str | None:
    """The first name that two columns of files or labels have."""
    folded = [fold(name) for name in names]
    known = [name for name in folded if name in _FILES + _LABELS and folded.count(name) > 1]
    return names[folded.index(known[0])] if known else None


def are_truths(place: int, rows: Sequence[Row]) -> bool:
    """Whether a column holds nothing but true and false, as `truth` reads them."""
    return bool(rows) and all(truth(row.cells[place]) is not None for row in rows if place < len(row.cells))


def truth(cell: str) -> bool | None:
    """What a cell says of yes or no; None for anything else."""
    return {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}.get(cell.lower())


def says_validation(name: str) -> bool:
    """Whether a column is called as one that tells the pictures to validate with."""
    return fold(name) in _VALID


def _first(folded: Sequence[str], known: Sequence[str]) -> int | None:
    return next((folded.index(name) for name in known if name in folded), None)
