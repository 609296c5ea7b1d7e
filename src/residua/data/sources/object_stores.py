"""Data in object stores, such as s3://bucket/shards: copied once into the user's cache, through fsspec."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any

from residua.errors import DataError, one_line
from residua.files.durable import remove_stale, replacing, write_durably
from residua.files.user_cache import user_cache

_ADDRESS = re.compile(r"[a-z][a-z0-9+.\-]*://[^\s]+")
_KEPT = 5  # free gigabytes that a copy must leave on the disk
_STATE = ("ETag", "etag", "checksum", "md5Hash", "LastModified", "mtime", "created", "updated")


def is_address(name: str) -> bool:
    """Whether data are named by an address (protocol://place) rather than by a path."""
    return _ADDRESS.fullmatch(name) is not None


def fetch_data(address: str, say: Callable[[str], None], cache: Path | None = None) -> Path:
    """The folder or file that holds a copy of what lies at an address; only what has changed is copied.

    cache: where copies are kept, a folder of the user's cache by default. Raises DataError where fsspec or
    what it needs for the protocol is missing, and where the address cannot be read.
    """
    try:
        import fsspec
    except ImportError:
        raise DataError(
            f"{address}: data at addresses are read by an extra: pip install 'residua[stores]'."
        ) from None
    folder = (cache or user_cache() / "stores") / hashlib.sha256(address.encode()).hexdigest()[:24]
    try:
        system, root = fsspec.core.url_to_fs(address)
        root = root.rstrip("/")
        single = bool(system.isfile(root))
        entries = {root: system.info(root)} if single else system.find(root, detail=True)
    except ImportError as problem:
        raise DataError(f"{address} needs another package: {problem}.") from None
    except Exception as problem:  # every store has its own
        reason = one_line(problem, 150)
        raise DataError(f"Cannot read {address}: {reason}.") from None
    files = {name: facts for name, facts in entries.items() if facts.get("type", "file") == "file"}
    if not files:
        raise DataError(f"{address} holds nothing; name a folder of pictures or shards, or one file.")
    places = {name: folder / _place(name, root, address, single=single) for name in files}
    missing = {name for name in files if not _is_there(places[name], files[name])}
    if missing:
        _copy(system, {name: (places[name], files[name]) for name in sorted(missing)}, address, folder, say)
    for stale in set(filter(Path.is_file, folder.rglob("*"))) - {*places.values()}:
        if not stale.name.startswith(".state-"):
            stale.unlink(missing_ok=True)  # what is no longer at the address is no data
    return next(iter(places.values())) if single else folder


def _place(name: str, root: str, address: str, *, single: bool) -> PurePosixPath:
    """Where a file lies below its folder. Raises DataError for a name that leads out of it."""
    inside = name.rstrip("/").rpartition("/")[2] if single else name.removeprefix(root).lstrip("/")
    place = PurePosixPath(inside)
    if not inside or place.is_absolute() or ".." in place.parts or "\0" in inside:
        raise DataError(f"{address} holds {name[:100]!r}, a name that leads out of it; it is refused.")
    return place


def _state(facts: dict[str, Any]) -> bytes:
    """What tells one version of a file from the next, as far as its store says."""
    known = [str(facts.get("size")), *(str(facts[name]) for name in _STATE if name in facts)]
    return "\n".join(known).encode()


def _state_file(place: Path) -> Path:
    return place.with_name(f".state-{place.name}")


def _is_there(place: Path, facts: dict[str, Any]) -> bool:
    try:
        return place.is_file() and _state_file(place).read_bytes() == _state(facts)
    except OSError:
        return False


def _copy(
    system: Any,
    files: dict[str, tuple[Path, dict[str, Any]]],
    address: str,
    folder: Path,
    say: Callable[[str], None],
) -> None:
    needed = sum(int(facts.get("size") or 0) for _, facts in files.values())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        remove_stale(folder)
        free = shutil.disk_usage(folder).free
        if needed > max(free - _KEPT * 10**9, 10**8):
            raise DataError(
                f"{address} takes {needed / 1e9:,.1f} GB, and {folder} has {free / 1e9:,.1f} GB free: make "
                "room there, or name another cache with XDG_CACHE_HOME."
            )
        say(f"{address}: copying {len(files):,} files, {needed / 1e6:,.1f} MB, to {folder}")
        for name, (place, facts) in files.items():
            place.parent.mkdir(parents=True, exist_ok=True)
            with replacing(place, error=DataError) as temporary:
                system.get_file(name, str(temporary))
            size = facts.get("size")
            if size is not None and place.stat().st_size != size:
                raise DataError(f"{name} arrived with {place.stat().st_size:,} of {size:,} bytes; try again.")
            write_durably(_state_file(place), _state(facts), error=DataError)
    except DataError:
        raise
    except Exception as problem:  # every store has its own
        reason = one_line(problem, 150)
        raise DataError(f"Cannot copy {address}: {reason}.") from None
