"""Writing files so that a crash, a full disk or a pulled plug leaves the old file or the new one."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import platform
import secrets
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from residua.errors import ResiduaError, RunError

SUFFIX = ".partial"
STALE_SECONDS = 24 * 3600.0

# Temporaries that this process is writing now: `remove_stale` must not take them for leftovers.
_active: set[str] = set()


def write_durably(
    path: Path | str, data: bytes | Iterable[bytes], *, error: type[ResiduaError] = RunError
) -> None:
    """Write `data` to `path`, which afterwards holds all of it or, on failure, what it held before.

    data: the bytes, or chunks of bytes that are written one after the other.
    Raises `error` when the system refuses (no space, no permission); what `data` itself raises passes
    through. Either way the temporary file is removed.
    """
    chunks = [data] if isinstance(data, (bytes, bytearray, memoryview)) else data
    with replacing(path, error=error) as temporary:
        stream = temporary.open("xb")
        with stream:
            for chunk in chunks:
                stream.write(chunk)


def write_once(path: Path | str, data: bytes, *, error: type[ResiduaError] = RunError) -> bool:
    """Write a file that must not exist yet; False where it does, whoever is making it.

    Of several processes, on machines that share the folder too, one succeeds: its file appears whole.
    Raises `error` when the system refuses.
    """
    target = Path(path)
    with _lending(target, error) as temporary:
        with temporary.open("xb") as stream:
            stream.write(data)
        _sync_file(temporary)
        try:
            os.link(temporary, target)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            try:
                with target.open("xb") as stream:
                    stream.write(data)
            except FileExistsError:
                return False
        _sync_folder(target.parent)
    return True


@contextlib.contextmanager
def replacing(path: Path | str, *, error: type[ResiduaError] = RunError) -> Iterator[Path]:
    """Lend a temporary path in the folder of `path`; what is written there becomes `path` at the end.

    The file is synced before it is renamed and its folder after, so the new name never points at
    missing bytes. Raises `error` for any OSError and removes the temporary file.
    """
    target = Path(path)
    with _lending(target, error) as temporary:
        yield temporary
        _sync_file(temporary)
        temporary.replace(target)
        _sync_folder(target.parent)


@contextlib.contextmanager
def _lending(target: Path, error: type[ResiduaError]) -> Iterator[Path]:
    """Lend a temporary path beside a file that is to be made; what is left there at the end is removed.

    Raises `error` for any OSError.
    """
    temporary = temporary_for(target)
    try:
        yield temporary
    except OSError as problem:
        raise error(f"Cannot write {target}: {problem.strerror or problem}.{_remedy(problem)}") from problem
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        _active.discard(temporary.name)


def temporary_for(target: Path) -> Path:
    """A free name beside a file for what is to become it."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}-{host()}-{secrets.token_hex(4)}{SUFFIX}")
    _active.add(temporary.name)  # whoever asks for a name uses it
    return temporary


@cache
def host() -> str:
    """This computer in eight letters: several may share a folder, and process numbers are each one's own."""
    return hashlib.sha256(platform.node().encode(errors="replace")).hexdigest()[:8]


def remove_stale(folder: Path | str) -> list[Path]:
    """Remove the temporary files that killed writers left in `folder`; return their paths.

    Files of writers that still run are kept. A process number can be taken again by another program,
    so a temporary older than a day counts as left behind whoever has the number now. So does one of
    another computer that shares the folder, whose processes cannot be seen from here.
    """
    removed = []
    for path in sorted(Path(folder).glob(f".*{SUFFIX}")):
        if path.name in _active:
            continue
        number, *writer = path.name.removesuffix(SUFFIX).rsplit(".", 1)[-1].split("-")
        if not number.isdigit():
            continue
        elsewhere = len(writer) == 2 and writer[0] != host()
        with contextlib.suppress(OSError):
            old = time.time() - path.stat().st_mtime > STALE_SECONDS
            if old or not (elsewhere or _running(int(number))):
                path.unlink()
                removed.append(path)
    return removed


def _running(process: int) -> bool:
    """Whether another process of that number exists; our own leftovers are not in `_active`."""
    if process == os.getpid() or process <= 0:
        return False
    if os.name == "nt":  # there, signal 0 would end the process instead of asking for it
        return True
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def _sync_file(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable; systems without folder handles do without."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def _remedy(problem: OSError) -> str:
    if isinstance(problem, FileNotFoundError):
        return " Create the folder first."
    if isinstance(problem, PermissionError):
        return " Choose a folder that you may write to."
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return " Make room on the disk, and try again."
    return ""
