"""GTSRB: Final_Training/Images/000cc/*.ppm with GT-000cc.csv, Final_Test/Images/*.ppm, GT-final_test.csv.

The tables are separated by semicolons. The training pictures come in tracks of about 30 of one sign as a
car drives by, so a track stays on one side of a split.
"""

from __future__ import annotations

from pathlib import Path

from residua.data.pictures.files import subfolders, walk_pictures
from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.layouts.reading import first_of, read_columns
from residua.errors import DataError

_COLUMNS = ("Filename", "Roi.X1", "Roi.Y1", "Roi.X2", "Roi.Y2")
_TRUTH = "GT-final_test.csv"

# What the 43 signs say, in the order of the publisher's ClassId.
SIGNS = (
    "speed limit 20",
    "speed limit 30",
    "speed limit 50",
    "speed limit 60",
    "speed limit 70",
    "speed limit 80",
    "end of speed limit 80",
    "speed limit 100",
    "speed limit 120",
    "no overtaking",
    "no overtaking by lorries",
    "right of way at the next crossing",
    "priority road",
    "give way",
    "stop",
    "no vehicles",
    "no lorries",
    "no entry",
    "danger",
    "bend to the left",
    "bend to the right",
    "double bend",
    "uneven road",
    "slippery road",
    "road narrows on the right",
    "road works",
    "traffic lights",
    "pedestrians",
    "children",
    "bicycles",
    "ice or snow",
    "wild animals",
    "end of all limits",
    "turn right ahead",
    "turn left ahead",
    "straight ahead",
    "straight ahead or right",
    "straight ahead or left",
    "keep right",
    "keep left",
    "roundabout",
    "end of no overtaking",
    "end of no overtaking by lorries",
)


def matches(folder: Path) -> bool:
    """Whether this is the folder GTSRB."""
    return (folder / "Final_Training" / "Images").is_dir()


def list_files(folder: Path) -> list[LabelledFile]:
    """The labelled pictures with their regions of interest; classes are called "14 stop"."""
    files: list[LabelledFile] = []
    for kind in subfolders(folder / "Final_Training" / "Images"):
        if not kind.name.isdigit() or int(kind.name) >= len(SIGNS):
            raise DataError(f"{kind} is no class of GTSRB; its folders are 00000 to 00042.")
        files += _table(folder, kind, kind / f"GT-{kind.name}.csv", int(kind.name))
    test = folder / "Final_Test" / "Images"
    if test.is_dir():
        parents = (folder, test.parent, test)
        truth = next((parent / _TRUTH for parent in parents if (parent / _TRUTH).is_file()), None)
        if truth is None:
            raise DataError(
                f"{test} holds pictures, but {_TRUTH} with their classes is missing: fetch "
                f"GTSRB_Final_Test_GT.zip and put it into {folder}, or remove Final_Test."
            )
        files += _table(folder, test, truth, None)
    return files


def _table(folder: Path, inside: Path, table: Path, kind: int | None) -> list[LabelledFile]:
    """The files of one table, in the folder `inside`; kind: the class of all, None for the test pictures."""
    pictures = {path.name: path for path in walk_pictures(inside)}
    files, listed = [], set()
    for line in read_columns(table, (*_COLUMNS, "ClassId"), ";"):
        name, location = line["Filename"], f"{table} line {line['']}"
        if name not in pictures:
            raise DataError(f"{location} names {name}, which is not in {inside}; unpack the archive again.")
        try:
            number = int(line["ClassId"])
            left, top, right, bottom = (int(line[column]) for column in _COLUMNS[1:])
        except ValueError as problem:
            raise DataError(
                f"{location} holds a cell that is no whole number ({problem}); mend it."
            ) from None
        if not 0 <= number < len(SIGNS) or (kind is not None and number != kind):
            expected = "0 to 42" if kind is None else f"{kind}, as its folder"
            raise DataError(f"{location} gives the ClassId {number}; it should be {expected}.")
        track = f"{kind:05d}/{name.partition('_')[0]}" if kind is not None else f"test/{name}"
        split = "train" if kind is not None else "test"
        # The second corner lies outside: the publisher leaves 5 pixels or more around every sign, which
        # comes out even on both sides only so.
        box = (left, top, right, bottom)
        label = f"{number:02d} {SIGNS[number]}"
        path = pictures[name]
        files.append(LabelledFile.below(folder, path, label, group=track, split=split, box=box))
        listed.add(name)
    if missing := sorted(set(pictures) - listed):
        raise DataError(
            f"{table} has no line for {first_of(missing)}; fetch it again, or remove the pictures."
        )
    return files
