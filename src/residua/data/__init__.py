"""Data sets: a table of published ones, and anybody's folder of pictures."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from residua.config import DataOptions
from residua.data.cards import DATASETS, FOLDER_SIZE, Card, Recipe, folder_card
from residua.data.pictures import Pictures, find_pictures, read_picture
from residua.data.preprocessing import Preprocessing
from residua.errors import ConfigError, DataError, near

if TYPE_CHECKING:
    from residua.data.dataset import DataSet

__all__ = [
    "DATASETS",
    "Card",
    "DataSet",
    "Pictures",
    "Preprocessing",
    "Recipe",
    "find_pictures",
    "open_dataset",
    "read_picture",
]


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=3)


def open_dataset(
    options: DataOptions, seed: int, *, say: Callable[[str], None] = _warn, channels: int = 3
) -> DataSet:
    """Open a data set of `DATASETS`, or a folder of pictures, as the options ask.

    seed: draws the validation split (and a folder's test split). say: is told, one line each, what was
    mended or skipped. channels: of a folder's pictures, 3 for colour and 1 for grey. Raises DataError
    where the data cannot be had, ConfigError for options that do not fit.
    """
    from residua.data.dataset import DataSet, Folder, Published

    card = DATASETS.get(options.data)
    if card is not None:
        for option in ("labels", "size"):
            if getattr(options, option) is not None:
                raise ConfigError(f"--{option} is for folders of pictures; {card.name} has its own.")
        validation = card.validation if options.validation is None else options.validation
        return DataSet(card, Published(card, options.data_dir, validation, seed, say))

    from residua.data.folder import list_folder

    folder = _folder(options.data, options.data_dir)
    size = FOLDER_SIZE if options.size is None else options.size
    if not 1 <= size <= 4096:
        raise ConfigError(f"--size must be 1 to 4096 pixels, not {size}.")
    validation = 0.1 if options.validation is None else options.validation
    listing = list_folder(folder, options.labels, validation, options.test, seed, say)
    card = folder_card(options.data, size, listing.classes, channels)
    return DataSet(card, Folder(card, listing, say))


def _folder(name: str, data_dir: str | None) -> Path:
    """The folder of that name, here or in a data folder; raises DataError where there is none."""
    from residua.data.fetch import data_folders

    folder = Path(name).expanduser()
    for place in (folder, *(data / name for data in data_folders(data_dir) if name)):
        if place.is_dir():
            return place
    if folder.exists():
        raise DataError(f"{name} is a file; name a data set or a folder with one folder per class.")
    raise DataError(f"{name!r} is neither a data set nor a folder.{near(name, DATASETS)}")


def __getattr__(name: str) -> object:
    # Loaded on first use: opening data needs more than the table of data sets does.
    if name == "DataSet":
        from residua.data.dataset import DataSet

        return DataSet
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
