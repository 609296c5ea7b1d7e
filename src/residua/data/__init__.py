"""Data sets: a table of published ones, and anybody's folder of pictures.

May import: config, cores, engines.vocabulary, errors, files.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from residua.config import DataOptions
from residua.data.pictures.decoding import Pictures, find_pictures, read_picture
from residua.data.preprocessing import Preprocessing
from residua.data.sources.cards import DATASETS, FOLDER_SIZE, Card, Recipe, folder_card
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
    "recognise",
]


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=3)


def open_dataset(
    options: DataOptions,
    seed: int,
    *,
    say: Callable[[str], None] = _warn,
    channels: int | None = None,
    most_bad: float | None = None,
) -> DataSet:
    """Open a data set of `DATASETS`, or a folder of pictures, as the options ask.

    A folder that is laid out as a publisher does it is read as that publisher's data set. seed: draws the
    validation split, and the test split where the publisher names none. say: is told, one line each, what
    was mended or skipped. channels: of pictures in files, 3 for colour and 1 for grey. most_bad: share of
    unreadable pictures that is put up with (0.01). Raises DataError where the data cannot be had,
    ConfigError for options that do not fit.
    """
    from residua.data.dataset import DataSet, Published

    card = DATASETS.get(options.data)
    folder = None if card is not None else _folder(options.data, options.data_dir)
    if folder is not None and options.labels is None:
        card = recognise(folder)
        if card is not None:
            say(f"{options.data} is laid out as {card.name}, and read as it")
    if card is None or card.kind == "folder":
        return _open_folder(options, card, folder, seed, say, channels, most_bad)
    if options.labels is not None:
        raise ConfigError(f"--labels is for folders of pictures; {card.name} has its own labels.")
    if options.size is not None and (folder is None or options.size != card.height):
        raise ConfigError(
            f"--size is for folders of pictures; {card.name} has its own, {card.height}x{card.width}."
        )
    for option, asked in (("region", options.region), ("groups leaky", options.groups == "leaky")):
        if asked:
            raise ConfigError(f"--{option} is for folders of pictures; {card.name} knows nothing of it.")
    validation = card.validation if options.validation is None else options.validation
    source = Published(card, options.data_dir, validation, seed, say, folder)
    return DataSet(replace(card, name=options.data), source)


def _open_folder(
    options: DataOptions,
    card: Card | None,
    folder: Path | None,
    seed: int,
    say: Callable[[str], None],
    channels: int | None,
    most_bad: float | None,
) -> DataSet:
    """Open picture files: those of a card, or somebody's own where there is none."""
    from residua.data.dataset import DataSet, Folder
    from residua.data.pictures.cache import MOST_BAD
    from residua.data.sources.download import find_layout
    from residua.data.sources.folder import Division, list_folder, list_layout
    from residua.data.sources.layouts import LAYOUTS

    if options.labels is not None and card is not None:
        raise ConfigError(f"--labels is for folders of pictures; {card.name} has its own labels.")
    default = FOLDER_SIZE if card is None else card.height
    size = default if options.size is None else options.size
    if not 1 <= size <= 4096:
        raise ConfigError(f"--size must be 1 to 4096 pixels, not {size}.")
    known = card or folder_card(options.data, size, ())
    division = Division(
        validation=known.validation if options.validation is None else options.validation,
        test=known.test if options.test is None else options.test,
        seed=seed,
        leaky=options.groups == "leaky",
    )
    if card is None:
        assert folder is not None
        if options.region:
            raise ConfigError(
                f"--region is for gtsrb, whose tables mark the signs; {folder} has no such tables."
            )
        listing = list_folder(folder, options.labels, division, say)
        card = folder_card(options.data, size, listing.classes, 3 if channels is None else channels)
    else:
        layout = LAYOUTS[card.layout]
        folder = folder or find_layout(card, layout, options.data_dir)
        listing = list_layout(folder, layout, division, options.region, say)
        card = replace(
            card,
            name=options.data,
            height=size,
            width=size,
            channels=card.channels if channels is None else channels,
            classes=listing.classes,
        )
    return DataSet(card, Folder(card, listing, say, MOST_BAD if most_bad is None else most_bad))


def recognise(folder: Path) -> Card | None:
    """The card of the published data set whose publisher's layout a folder has, if any."""
    from residua.data.sources.layouts import LAYOUTS
    from residua.data.sources.pixel_table import is_pixel_table

    if (folder / "train_32x32.mat").is_file():
        return DATASETS["svhn"]
    if is_pixel_table(folder / "train.csv"):
        return DATASETS["kaggle-mnist"]
    found = next((name for name, layout in LAYOUTS.items() if layout.matches(folder)), None)
    cards = [card for card in DATASETS.values() if found is not None and card.layout == found]
    # Two sets of one layout are told apart by the folder's name.
    named = [card for card in cards if card.folders[0] == folder.resolve().name]
    return next(iter(named or cards), None)


def _folder(name: str, data_dir: str | None) -> Path:
    """The folder of that name, here or in a data folder; raises DataError where there is none."""
    from residua.data.sources.download import data_folders

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
