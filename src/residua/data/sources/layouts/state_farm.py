"""State Farm's distracted drivers: imgs/train/c0 to c9, and driver_imgs_list.csv (subject,classname,img).

Without imgs/, train/c0 to c9 beside the table: so the pictures are often unpacked.

The pictures are frames of films of 26 drivers: a network that has seen a driver knows the next frame. So
a driver stays on one side of a split. imgs/test has no labels; it is for `residua predict`.
"""

from __future__ import annotations

from pathlib import Path

from residua.data.pictures.files import subfolders, walk_pictures
from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.layouts.reading import first_of, read_columns
from residua.errors import DataError

TABLE = "driver_imgs_list.csv"
_ACTIVITIES = (
    "safe driving",
    "texting right",
    "phone right",
    "texting left",
    "phone left",
    "radio",
    "drinking",
    "reaching behind",
    "hair and makeup",
    "talking to passenger",
)
NAMES = {f"c{number}": f"c{number} {activity}" for number, activity in enumerate(_ACTIVITIES)}


def matches(folder: Path) -> bool:
    """Whether this is the competition's folder."""
    return (folder / TABLE).is_file() and (_train(folder) / "c0").is_dir()


def _train(folder: Path) -> Path:
    """The folder of the labelled pictures."""
    published = folder / "imgs" / "train"
    return published if published.is_dir() else folder / "train"


def list_files(folder: Path) -> list[LabelledFile]:
    """The labelled pictures, each with its driver; classes are called "c6 drinking"."""
    table, train = folder / TABLE, _train(folder)
    drivers: dict[tuple[str, str], str] = {}
    for line in read_columns(table, ("subject", "classname", "img")):
        key, location = (line["classname"], line["img"]), f"{table} line {line['']}"
        if line["classname"] not in NAMES:
            raise DataError(f"{location} names the class {line['classname']!r}; they are c0 to c9.")
        if not line["subject"]:
            raise DataError(f"{location} names no driver for {'/'.join(key)}: give it one, such as p002.")
        if drivers.setdefault(key, line["subject"]) != line["subject"]:
            raise DataError(
                f"{location} gives {'/'.join(key)} the driver {line['subject']!r}, an earlier line "
                f"{drivers[key]!r}; keep one."
            )
    files, unknown = [], []
    for kind in subfolders(train):
        if kind.name not in NAMES:
            raise DataError(f"{kind} is no class of State Farm's; its folders are c0 to c9.")
        for path in walk_pictures(kind):
            driver = drivers.pop((kind.name, path.name), None)
            if driver is None:
                unknown.append(path.relative_to(folder).as_posix())
                continue
            files.append(LabelledFile.below(folder, path, NAMES[kind.name], group=driver))
    if unknown:
        raise DataError(
            f"The driver of {first_of(unknown)} is unknown, so it may be on both sides of a split: add a "
            f"line subject,classname,img to {table}, or remove the picture."
        )
    if drivers:
        absent = ["/".join(key) for key in drivers]
        raise DataError(f"{table} names {first_of(absent)}, which is not in {train}; unpack imgs.zip again.")
    return files
