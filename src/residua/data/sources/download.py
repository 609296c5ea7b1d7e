"""Fetching published files, and checking what arrives."""

from __future__ import annotations

from pathlib import Path

from residua.data.sources.card import Card
from residua.data.sources.published_files import Download
from residua.errors import DataError


def verify_checksum(path: Path, published: Download) -> None:
    """Raise DataError unless the file has the published checksum."""
    import pooch

    algorithm, expected = published.checksum.split(":")
    try:
        actual = pooch.file_hash(str(path), alg=algorithm)
    except OSError as problem:
        raise DataError(f"Cannot read {path}: {problem.strerror or problem}.") from problem
    if actual != expected:
        raise DataError(
            f"{path} has the {algorithm} {actual}, not the published {expected}. Remove it and fetch it "
            f"again from {published.urls[0]}."
        )


def download(card: Card, published: Download, folder: Path) -> Path:
    """Fetch a published file into `folder` and check it; what a cut connection left is continued.

    Raises DataError, naming address, checksum and where to put the file, when no address delivers it.
    """
    import pooch

    from residua.data.sources.resumable_download import resumable_downloader

    pooch.get_logger().setLevel("WARNING")  # the progress bar says enough
    reasons = []
    for url in published.urls:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return Path(
                pooch.retrieve(
                    url,
                    known_hash=published.checksum,
                    fname=published.name,
                    path=folder,
                    downloader=resumable_downloader(folder / f"{published.name}.part"),
                )
            )
        except ValueError:
            reasons.append(f"{url} gave a file with another checksum")
        except OSError as problem:  # every failure of requests is an OSError as well
            reasons.append(f"{url} could not be fetched ({short_reason(problem)})")
    # An archive replaces the other one; idx files are needed together, so all are named at once.
    needed = (published,) if card.kind == "cifar" else card.files
    absent = [file for file in needed if file is published or not (folder / file.name).exists()]
    listed = ", ".join(f"{file.name} ({file.checksum or f'from {card.page}'})" for file in absent)
    raise DataError(
        f"{card.name} is not on this computer: {'; '.join(reasons) or 'it needs an account to fetch it'}. "
        f"Put {listed} into {folder}, or name the data folder with --data-dir."
    )


def short_reason(problem: BaseException | None) -> str:
    """The gist of an error that may wrap others, on one line."""
    text = getattr(problem, "strerror", None) or str(problem) or type(problem).__name__
    text = " ".join(str(text).split())
    if "resolve" in text or "NameResolution" in text:
        return "no connection to the internet"
    return text if len(text) <= 120 else text[:117] + "..."
