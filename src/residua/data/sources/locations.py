"""Where data sets lie on this computer; published files that do not are fetched and unpacked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from residua.data.sources.archives import unpack
from residua.data.sources.card import Card
from residua.data.sources.download import download, verify_checksum
from residua.data.sources.layouts.table import Layout
from residua.data.sources.published_files import Download
from residua.data.sources.readers.cifar import CIFAR_PARTS
from residua.errors import DataError
from residua.files.user_cache import expanded, user_cache


def data_folders(data_dir: str | Path | None) -> list[Path]:
    """Where data sets are looked for, in order: --data-dir, RESIDUA_DATA, the user's cache.

    Raises DataError where --data-dir names a file.
    """
    named = [expanded(name) for name in (data_dir, os.environ.get("RESIDUA_DATA")) if name]
    for folder in named:
        if folder.exists() and not folder.is_dir():
            raise DataError(f"The data folder {folder} is a file; name the folder that holds the data sets.")
    return [*named, user_cache() / "data"]


def find_files(card: Card, data_dir: str | Path | None, folder: Path | None = None) -> dict[str, Path]:
    """Paths of all of a card's files, by published name; those not found are downloaded.

    folder: the one to look into, instead of the data folders.
    """
    if folder is not None:
        return {file.name: _find_file([folder], card, file, folder) for file in card.files}
    roots = data_folders(data_dir)
    target = roots[0] / card.folders[0]
    return {file.name: _find_file(list(_candidates(card, roots)), card, file, target) for file in card.files}


def _find_file(folders: list[Path], card: Card, file: Download, target: Path) -> Path:
    plain = file.name.removesuffix(".gz")
    spellings = (file.name, plain, plain.replace("-idx", ".idx"))
    for folder in folders:
        for name in spellings:
            if (folder / name).is_file():
                return folder / name
    return download(card, file, target)


def find_layout(card: Card, layout: Layout, data_dir: str | Path | None) -> Path:
    """The folder of a data set that comes as picture files. Raises DataError naming what to fetch."""
    roots = data_folders(data_dir)
    for folder in _candidates(card, roots):
        if folder.is_dir():
            return folder
    raise DataError(
        f"{card.name} is not on this computer: fetch it from {card.page} and unpack it as "
        f"{roots[0] / card.folders[0]} (with {layout.marks}), or name the data folder with --data-dir."
    )


def find_cifar_folder(card: Card, data_dir: str | Path | None) -> Path:
    """The folder of a CIFAR's batches: python ones where there are any, else binary, else downloaded.

    A published archive that lies in a data folder is checked and unpacked beside itself, or into the
    user's cache where that folder cannot be written to.
    """
    roots = data_folders(data_dir)
    for name, archive in zip(card.folders, card.files, strict=True):
        for folder in (f for f in _candidates(card, roots) if f.name == name and f.is_dir()):
            missing = [part for parts in CIFAR_PARTS[name] for part in parts if not (folder / part).is_file()]
            if missing:
                raise DataError(
                    f"{folder} lacks {', '.join(missing)}. Remove the folder and unpack it again."
                )
            return folder
        for root in roots:
            for path in (root / archive.name, root / card.name / archive.name):
                if path.is_file():
                    verify_checksum(path, archive)
                    return unpack(path, name)
    archive = card.files[0]
    return unpack(download(card, archive, roots[0]), card.folders[0])


def _candidates(card: Card, roots: list[Path]) -> Iterator[Path]:
    """Folders in which the files of a card may lie; a data folder named like the data set counts too."""
    own = {folder.split("/")[0].lower() for folder in card.folders}
    for root in roots:
        if root.name.lower() in own or (root.name == "raw" and root.parent.name.lower() in own):
            yield root
        for folder in card.folders:
            yield root / folder
            yield root / card.name / folder
