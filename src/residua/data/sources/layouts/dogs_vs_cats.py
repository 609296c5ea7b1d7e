"""Kaggle's Dogs vs. Cats: train/cat.0.jpg to train/dog.12499.jpg; test1/ has no labels, for `predict`."""

from __future__ import annotations

import re
from pathlib import Path

from residua.data.pictures.files import is_visible, walk_pictures
from residua.data.sources.labelled_file import LabelledFile
from residua.data.sources.layouts.reading import first_of
from residua.errors import DataError

_NAME = re.compile(r"(cat|dog)\.\d+\.jpe?g", re.IGNORECASE)


def matches(folder: Path) -> bool:
    """Whether train/ holds files named cat.0.jpg, by the first that is there."""
    train = folder / "train"
    if not train.is_dir():
        return False
    first = next((path for path in train.iterdir() if is_visible(path.name)), None)
    return first is not None and _NAME.fullmatch(first.name) is not None


def list_files(folder: Path) -> list[LabelledFile]:
    """The pictures of train/, whose names begin with their class."""
    paths = list(walk_pictures(folder / "train"))
    if unknown := [path.name for path in paths if not _NAME.fullmatch(path.name)]:
        raise DataError(
            f"{folder / 'train'} holds {first_of(unknown)}; its pictures are called cat.0.jpg or dog.0.jpg. "
            "Rename or remove the others."
        )
    return [LabelledFile.below(folder, path, path.name.partition(".")[0].lower()) for path in paths]
