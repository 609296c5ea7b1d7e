"""What an archive may ask of the machine that reads it, whoever has made it."""

from __future__ import annotations

from pathlib import PurePosixPath

from residua.errors import DataError

MOST_ENTRIES = 5_000_000
MOST_BYTES = 500_000_000  # of one entry, unpacked, and of a picture's file
MOST_NAME = 1000  # letters


def checked_name(name: str, archive: object) -> str:
    """An entry's name, always below its archive. Raises DataError for one that leads elsewhere."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name or len(name) > MOST_NAME:
        raise DataError(
            f"{archive} holds {name[:100]!r}, a name that leads out of it or is none; it is refused. "
            "Pack it anew."
        )
    return "/".join(part for part in parts if part != ".")


def check_count(count: int, archive: object) -> None:
    """Raise DataError for more entries than anybody's archive has."""
    if count > MOST_ENTRIES:
        raise DataError(f"{archive} holds more than {MOST_ENTRIES:,} entries; divide it into shards.")


def too_large(name: str, archive: object) -> DataError:
    """What is said of an entry beyond `MOST_BYTES`."""
    return DataError(f"{name} in {archive} is larger than {MOST_BYTES // 10**6} MB; make it smaller.")
