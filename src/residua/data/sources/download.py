"""Finding published files on this computer, or fetching, checking and unpacking them."""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from residua.data.sources.cards import Card, Download
from residua.data.sources.layouts import Layout
from residua.data.sources.readers import CIFAR_PARTS
from residua.errors import DataError

_MOST_UNPACKED_BYTES = 1_000_000_000
_MOST_MEMBERS = 1000


def user_cache() -> Path:
    """The folder of this user's cache that belongs to residua; it may not exist yet."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("residua", appauthor=False))


def data_folders(data_dir: str | None) -> list[Path]:
    """Where data sets are looked for, in order: --data-dir, RESIDUA_DATA, the user's cache.

    Raises DataError where --data-dir names a file.
    """
    named = [Path(name).expanduser() for name in (data_dir, os.environ.get("RESIDUA_DATA")) if name]
    for folder in named:
        if folder.exists() and not folder.is_dir():
            raise DataError(f"The data folder {folder} is a file; name the folder that holds the data sets.")
    return [*named, user_cache() / "data"]


def find_files(card: Card, data_dir: str | None, folder: Path | None = None) -> dict[str, Path]:
    """Paths of all of a card's files, by published name; those not found are downloaded.

    folder: the one to look into, instead of the data folders.
    """
    if folder is not None:
        return {wanted.name: _find_file([folder], card, wanted, folder) for wanted in card.files}
    places = data_folders(data_dir)
    target = places[0] / card.folders[0]
    return {
        wanted.name: _find_file(list(_candidates(card, places)), card, wanted, target)
        for wanted in card.files
    }


def _find_file(folders: list[Path], card: Card, wanted: Download, target: Path) -> Path:
    plain = wanted.name.removesuffix(".gz")
    spellings = (wanted.name, plain, plain.replace("-idx", ".idx"))
    for folder in folders:
        for name in spellings:
            if (folder / name).is_file():
                return folder / name
    return download(card, wanted, target)


def find_layout(card: Card, layout: Layout, data_dir: str | None) -> Path:
    """The folder of a data set that comes as picture files. Raises DataError naming what to fetch."""
    places = data_folders(data_dir)
    for folder in _candidates(card, places):
        if folder.is_dir():
            return folder
    raise DataError(
        f"{card.name} is not on this computer: fetch it from {card.page} and unpack it as "
        f"{places[0] / card.folders[0]} (with {layout.marks}), or name the data folder with --data-dir."
    )


def find_cifar_folder(card: Card, data_dir: str | None) -> Path:
    """The folder of a CIFAR's batches: python ones where there are any, else binary, else downloaded.

    A published archive that lies in a data folder is checked and unpacked beside itself, or into the
    user's cache where that folder cannot be written to.
    """
    places = data_folders(data_dir)
    for name, archive in zip(card.folders, card.files, strict=True):
        for folder in (f for f in _candidates(card, places) if f.name == name and f.is_dir()):
            missing = [part for parts in CIFAR_PARTS[name] for part in parts if not (folder / part).is_file()]
            if missing:
                raise DataError(
                    f"{folder} lacks {', '.join(missing)}. Remove the folder and unpack it again."
                )
            return folder
        for place in places:
            for path in (place / archive.name, place / card.name / archive.name):
                if path.is_file():
                    check(path, archive)
                    return unpack(path, name)
    archive = card.files[0]
    return unpack(download(card, archive, places[0]), card.folders[0])


def _candidates(card: Card, places: list[Path]) -> Iterator[Path]:
    """Folders in which the files of a card may lie; a data folder named like the data set counts too."""
    own = {folder.split("/")[0].lower() for folder in card.folders}
    for place in places:
        if place.name.lower() in own or (place.name == "raw" and place.parent.name.lower() in own):
            yield place
        for folder in card.folders:
            yield place / folder
            yield place / card.name / folder


def check(path: Path, published: Download) -> None:
    """Raise DataError unless the file has the published checksum."""
    import pooch

    algorithm, expected = published.checksum.split(":")
    try:
        found = pooch.file_hash(str(path), alg=algorithm)
    except OSError as problem:
        raise DataError(f"Cannot read {path}: {problem.strerror or problem}.") from problem
    if found != expected:
        raise DataError(
            f"{path} has the {algorithm} {found}, not the published {expected}. Remove it and fetch it "
            f"again from {published.urls[0]}."
        )


def download(card: Card, wanted: Download, folder: Path) -> Path:
    """Fetch a published file into `folder` and check it; what a cut connection left is continued.

    Raises DataError, naming address, checksum and where to put the file, when no address delivers it.
    """
    import pooch

    from residua.data.sources.resume import resume_download

    pooch.get_logger().setLevel("WARNING")  # the progress bar says enough
    reasons = []
    for url in wanted.urls:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return Path(
                pooch.retrieve(
                    url,
                    known_hash=wanted.checksum,
                    fname=wanted.name,
                    path=folder,
                    downloader=resume_download(folder / f"{wanted.name}.part"),
                )
            )
        except ValueError:
            reasons.append(f"{url} gave a file with another checksum")
        except OSError as problem:  # every failure of requests is an OSError as well
            reasons.append(f"{url} could not be fetched ({_short(problem)})")
    # An archive replaces the other one; idx files are needed together, so all are named at once.
    needed = (wanted,) if card.kind == "cifar" else card.files
    absent = [file for file in needed if file is wanted or not (folder / file.name).exists()]
    listed = ", ".join(f"{file.name} ({file.checksum or f'from {card.page}'})" for file in absent)
    raise DataError(
        f"{card.name} is not on this computer: {'; '.join(reasons) or 'it needs an account to fetch it'}. "
        f"Put {listed} into {folder}, or name the data folder with --data-dir."
    )


def unpack(archive: Path, folder_name: str) -> Path:
    """Unpack a checked .tar.gz whose content is one folder, and return that folder.

    Unpacked elsewhere first and renamed at the end, so that an interrupted run leaves no half folder.
    Raises DataError for a damaged archive, members that reach outside, or more than 1 GB of content.
    """
    last: OSError | None = None
    for parent in (archive.parent, user_cache() / "data"):
        target = parent / folder_name
        if target.is_dir():
            return target
        try:
            parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".unpack-", dir=parent) as temporary:
                _extract(archive, Path(temporary))
                inside = Path(temporary) / folder_name
                if not inside.is_dir():
                    raise DataError(f"{archive} does not hold the folder {folder_name}.")
                with contextlib.suppress(FileExistsError):
                    shutil.move(inside, target)
                return target
        except OSError as problem:
            last = problem
    raise DataError(
        f"Cannot unpack {archive}: {_short(last)}. Name a folder you may write to with --data-dir."
    )


def _extract(archive: Path, folder: Path) -> None:
    if not hasattr(tarfile, "data_filter"):
        raise DataError("Unpacking archives safely needs Python 3.11.4 or newer; update Python.")
    try:
        with tarfile.open(archive, "r:*") as packed:
            members, total = [], 0
            for member in packed:
                total += member.size
                members.append(member)
                if total > _MOST_UNPACKED_BYTES or len(members) > _MOST_MEMBERS:
                    raise DataError(f"{archive} would unpack to more than 1 GB or 1000 files; it is refused.")
                if not (member.isfile() or member.isdir()):
                    raise DataError(
                        f"{archive} holds {member.name!r}, which is no plain file; it is refused."
                    )
            packed.extractall(folder, members, filter="data")
    except (tarfile.TarError, EOFError, zlib.error) as problem:
        raise DataError(f"{archive} is damaged or unsafe ({_short(problem)}). Fetch it again.") from problem


def _short(problem: BaseException | None) -> str:
    """The gist of an error that may wrap others, on one line."""
    text = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
    text = " ".join(str(text).split())
    if "resolve" in text or "NameResolution" in text:
        return "no connection to the internet"
    return text if len(text) <= 120 else text[:117] + "..."
