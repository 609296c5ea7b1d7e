"""Unpacking a published archive, safely and as a whole."""

from __future__ import annotations

import contextlib
import shutil
import tarfile
import tempfile
import zlib
from pathlib import Path

from residua.data.sources.download import short_reason
from residua.errors import DataError
from residua.files.user_cache import user_cache

_MOST_UNPACKED_BYTES = 1_000_000_000
_MOST_MEMBERS = 1000


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
        f"Cannot unpack {archive}: {short_reason(last)}. Name a folder you may write to with --data-dir."
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
        raise DataError(
            f"{archive} is damaged or unsafe ({short_reason(problem)}). Fetch it again."
        ) from problem
