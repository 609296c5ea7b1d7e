"""The folder in which compiled kernels lie, shared by all processes of a machine."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from llvmlite import binding

from residua.engines.numba.runtime import kernel_sources
from residua.engines.numba.runtime.processor import NARROW
from residua.files.durable import remove_stale, temporary_for
from residua.files.user_cache import kernels_folder

if sys.platform != "win32":  # which has no such locks
    import fcntl

PATIENCE_SECONDS = 120.0  # that another process may take over one kernel before it is made here as well
DIGEST_BYTES = 32


@cache
def fingerprint() -> str:
    """A digest of all that kernels are built from: sources, versions and processor."""
    digest = hashlib.sha256()
    for name, source in kernel_sources.SOURCES.items():
        digest.update(name.encode())
        digest.update(source)
    features = ",".join(sorted(k for k, v in binding.get_host_cpu_features().items() if v))
    versions = (sys.version, binding.get_host_cpu_name(), features, NARROW, *kernel_sources.lowering())
    digest.update(repr(versions).encode())
    return digest.hexdigest()[:20]


def cache_folder() -> Path:
    """Where this machine's kernels lie: RESIDUA_KERNEL_CACHE, or the user's cache folder."""
    return kernels_folder() / fingerprint()


def usable(folder: Path) -> bool:
    """Whether the folder can be written to; it is made where it can be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _create(probe := temporary_for(folder / "probe"), b"")
        probe.unlink(missing_ok=True)
    except (OSError, ValueError):
        return False
    return True


def _create(path: Path, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)


def clear(folder: Path) -> None:
    """Remove what killed processes left half written; before this process writes anything."""
    with contextlib.suppress(OSError):
        remove_stale(folder)


def read(path: Path) -> bytes | None:
    """What `write` has left there; None for nothing, or for less than all of it."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    digest, code = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
    # Half a file, run, would be a crash.
    return code if hashlib.sha256(code).digest() == digest else None


def write(path: Path, code: bytes) -> None:
    """Leave it there, whole or not at all; a full disk costs the next process time, nothing else."""
    new = temporary_for(path)
    with contextlib.suppress(OSError):
        try:
            _create(new, hashlib.sha256(code).digest() + code)
            os.replace(new, path)
        except BaseException:
            with contextlib.suppress(OSError):
                new.unlink()
            raise


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """One process at a time for this file; who dies or takes too long holds nobody up.

    A lock on one byte of a file that all kernels share: the system takes it back when its owner ends. Where
    there are no such locks, a kernel is made twice at worst.
    """
    place = int.from_bytes(hashlib.sha256(path.name.encode()).digest()[:4], "big") >> 1
    patient_until = time.monotonic() + PATIENCE_SECONDS
    while not _taken(path.parent, place) and time.monotonic() < patient_until:
        time.sleep(0.02)
    try:
        yield
    finally:
        _release(path.parent, place)


if sys.platform == "win32":

    def _taken(folder: Path, place: int) -> bool:
        return True

    def _release(folder: Path, place: int) -> None:
        pass

else:

    @cache
    def _locks(folder: Path) -> int | None:
        """The file of locks; it stays open, for closing it would give back all that this process holds."""
        try:
            return os.open(folder / ".locks", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError:
            return None

    def _taken(folder: Path, place: int) -> bool:
        """Whether there is no reason to wait any longer."""
        if (locks := _locks(folder)) is None:
            return True
        try:
            fcntl.lockf(locks, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError as error:
            return error.errno not in (errno.EACCES, errno.EAGAIN)
        return True

    def _release(folder: Path, place: int) -> None:
        if (locks := _locks(folder)) is not None:
            with contextlib.suppress(OSError):
                fcntl.lockf(locks, fcntl.LOCK_UN, 1, place)
