"""Opening a data set: one of the table, or anybody's folder of pictures, as the options ask."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from residua.config import DataOptions
from residua.data.dataset import DataSet
from residua.data.narrowing import limit_listing, narrow
from residua.data.packed.opening import is_packed
from residua.data.picture_folder import PictureFolder
from residua.data.pictures.cache import MOST_BAD
from residua.data.pictures.files import file_content
from residua.data.pictures.readers import ALONE, Readers
from residua.data.published_arrays import PublishedArrays
from residua.data.sources.card import FOLDER_SIZE, Card, folder_card
from residua.data.sources.cards import DATASETS
from residua.data.sources.label_table import MOST_ABSENT
from residua.data.sources.layouts.table import LAYOUTS
from residua.data.sources.listing import Division, Listing, Purpose, list_folder, list_layout
from residua.data.sources.locations import data_folders, find_layout
from residua.data.sources.object_stores import fetch_data, is_address
from residua.data.sources.readers.pixel_table import is_pixel_table
from residua.errors import ConfigError, DataError, near
from residua.files.names import alike_text
from residua.files.user_cache import expanded


def _warn(message: str) -> None:
    warnings.warn(message, stacklevel=3)


@dataclass(frozen=True)
class _Reading:
    """How picture files are read. channels: 3 or 1, None for the card's. Others: see `open_dataset`."""

    say: Callable[[str], None]
    channels: int | None
    most_bad: float
    purpose: Purpose
    readers: Readers


def open_dataset(
    options: DataOptions,
    seed: int,
    *,
    say: Callable[[str], None] = _warn,
    channels: int | None = None,
    most_bad: float | None = None,
    purpose: Purpose = "train",
    readers: Readers = ALONE,
) -> DataSet:
    """Open a data set of `DATASETS`, or a folder of pictures, as the options ask.

    A folder that is laid out as a publisher does it is read as that publisher's data set. seed: draws the
    validation split, and the test split where the publisher names none. say: is told, one line each, what
    was mended or skipped. channels: of pictures in files, 3 for colour and 1 for grey. most_bad: share of
    unreadable pictures that is put up with (0.01). purpose: what for, see `Purpose`; only somebody's own
    folders heed it. readers: the processes that read it together. Raises DataError where the data cannot be
    had, ConfigError for options that do not fit.
    """
    name = str(options.data)
    card = DATASETS.get(name)
    folder = None if card is not None else _find_folder(name, options.data_dir, say)
    if folder is not None and options.labels is None:
        card = recognise(folder)
        if card is not None:
            say(f"{name} is laid out as {card.name}, and read as it")
    reading = _Reading(say, channels, MOST_BAD if most_bad is None else most_bad, purpose, readers)
    if card is None:
        assert folder is not None
        return _open_own_folder(options, folder, seed, reading)
    if options.labels is not None:
        raise ConfigError(f"--labels is for folders of pictures; {card.name} has its own labels.")
    if card.kind == "folder":
        return _open_published_folder(options, card, folder, seed, reading)
    return _open_published_arrays(options, card, folder, seed, say)


def reads_files(name: str) -> bool:
    """Whether data of that name are picture files, or packed ones, which several processes can divide."""
    return name not in DATASETS or DATASETS[name].kind == "folder"


def _open_published_arrays(
    options: DataOptions, card: Card, folder: Path | None, seed: int, say: Callable[[str], None]
) -> DataSet:
    """Open a data set that its publisher packs into arrays."""
    other = {options.size, options.wide} - {None, *(() if folder is None else (card.height,))}
    if other:
        raise ConfigError(
            f"--size is for folders of pictures; {card.name} has its own, {card.height}x{card.width}."
        )
    for option, chosen in (("region", options.region), ("groups leaky", options.groups == "leaky")):
        if chosen:
            raise ConfigError(f"--{option} is for folders of pictures; {card.name} knows nothing of it.")
    validation = card.validation if options.validation is None else options.validation
    source = PublishedArrays(card, options.data_dir, validation, seed, say, folder)
    return DataSet(replace(card, name=str(options.data)), narrow(source, options, seed))


def _open_published_folder(
    options: DataOptions, card: Card, folder: Path | None, seed: int, reading: _Reading
) -> DataSet:
    """Open a data set that its publisher packs as picture files."""
    height, width = _sides(options, card.height)
    division = _division(options, card, seed)
    layout = LAYOUTS[card.layout]
    folder = folder or find_layout(card, layout, options.data_dir)
    listing = list_layout(folder, layout, division, options.region, reading.say)
    channels = card.channels if reading.channels is None else reading.channels
    card = replace(card, name=str(options.data), shape=(height, width, channels), classes=listing.classes)
    return _folder(card, listing, options, seed, reading)


def _open_own_folder(options: DataOptions, folder: Path, seed: int, reading: _Reading) -> DataSet:
    """Open somebody's own picture files."""
    name = str(options.data)
    size, wide = _sides(options, FOLDER_SIZE)
    division = _division(options, folder_card(name, size, ()), seed)
    if options.region:
        raise ConfigError(f"--region is for gtsrb, whose tables mark the signs; {folder} has no such tables.")
    absent = max(MOST_ABSENT, reading.most_bad)
    listing = list_folder(
        folder, options.labels, division, reading.say, absent, reading.purpose, reading.readers
    )
    for line in alike_text(listing.classes):
        reading.say(line)
    channels = 3 if reading.channels is None else reading.channels
    card = folder_card(name, size, listing.classes, channels, wide)
    return _folder(card, listing, options, seed, reading)


def _folder(card: Card, listing: Listing, options: DataOptions, seed: int, reading: _Reading) -> DataSet:
    """Listed pictures as a data set, or as much of it as is asked for."""
    if options.limit is not None:
        listing = limit_listing(listing, options.limit, seed)  # before any is decoded
    source = PictureFolder(card, listing, reading.say, reading.most_bad, reading.readers)
    return DataSet(card, narrow(source, replace(options, limit=None), seed))


def _sides(options: DataOptions, default: int) -> tuple[int, int]:
    """Height and width in pixels that picture files are brought to."""
    height = default if options.size is None else options.size
    width = height if options.wide is None else options.wide
    for option, side in (("size", height), ("wide", width)):
        if not 1 <= side <= 4096:
            raise ConfigError(f"--{option} must be 1 to 4096 pixels, not {side}.")
    return height, width


def _division(options: DataOptions, card: Card, seed: int) -> Division:
    return Division(
        validation=card.validation if options.validation is None else options.validation,
        test=card.test if options.test is None else options.test,
        seed=seed,
        leaky=options.groups == "leaky",
    )


def recognise(folder: Path) -> Card | None:
    """The card of the published data set in whose layout a folder is; none for a packed file."""
    if not folder.is_dir():
        return None
    if (folder / "train_32x32.mat").is_file():
        return DATASETS["svhn"]
    if is_pixel_table(folder / "train.csv"):
        return DATASETS["kaggle-mnist"]
    match = next((name for name, layout in LAYOUTS.items() if layout.matches(folder)), None)
    cards = [card for card in DATASETS.values() if match is not None and card.layout == match]
    # Two sets of one layout are told apart by the folder's name.
    named = [card for card in cards if card.folders[0] == folder.resolve().name]
    return next(iter(named or cards), None)


def _find_folder(name: str, data_dir: str | Path | None, say: Callable[[str], None]) -> Path:
    """The folder or packed file of that name, here or in a data folder. Raises DataError for neither."""
    if is_address(name):
        return fetch_data(name, say)
    folder = expanded(name)
    for candidate in (folder, *(root / name for root in data_folders(data_dir) if name)):
        if candidate.is_dir() or is_packed(candidate):
            return candidate
    if folder.exists():
        raise DataError(
            f"{name} is a file{file_content(folder)}; name a data set or a folder with one folder per class."
        )
    raise DataError(f"{name!r} is neither a data set nor a folder.{near(name, DATASETS)}")
