"""Downloading over a connection that may break: what has arrived is kept and continued."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from residua.files.durable import remove_stale, temporary_for

if sys.platform != "win32":  # which has no such locks
    import fcntl

ATTEMPTS = 5
_CHUNK_BYTES = 1 << 16
_MOST_BYTES = 2_000_000_000


def resumable_downloader(part: Path, pause_seconds: float = 1.0) -> Callable[[str, str, Any], None]:
    """A downloader for pooch that collects the file in `part` and continues it with HTTP ranges.

    part: survives failures, so that the next run goes on where this one stopped. pause_seconds: waited
    after the first cut, doubled after each further one. A cut is survived as long as five attempts in a
    row do not all arrive empty. Where another process is at it, the file is collected beside `part`. Raises
    (requests' errors are OSErrors) when it gives up.
    """

    def fetch(url: str, output: str, _: Any) -> None:
        with _reserved(part) as own:
            collect(url, own)
            own.replace(output)

    def collect(url: str, part: Path) -> None:
        import requests

        with _progress(part.name.removesuffix(".part")) as (moved, total):
            failures, pause = 0, pause_seconds
            while True:
                before = _size(part)
                try:
                    _continue(url, part, moved, total)
                    break
                except requests.HTTPError as problem:
                    # The server answered: only a fault of its own may be gone at the next attempt.
                    if problem.response is not None and problem.response.status_code < 500:
                        raise
                    failures += 1
                    if failures >= ATTEMPTS:
                        raise
                except (requests.ConnectionError, requests.Timeout, _Cut) as problem:
                    failures = 1 if _size(part) > before else failures + 1
                    # No name server, no route: trying again changes nothing, and offline should be quick.
                    if failures >= ATTEMPTS or (before == 0 and _size(part) == 0 and not _was_cut(problem)):
                        raise
                time.sleep(pause)
                pause = min(2 * pause, 8 * pause_seconds)

    return fetch


@contextlib.contextmanager
def _reserved(part: Path) -> Iterator[Path]:
    """Lend `part`, or another name where a process is writing there now; who dies gives it back at once."""
    remove_stale(part.parent)
    with contextlib.ExitStack() as stack:
        if _taken(part, stack):
            own = temporary_for(part)
            stack.callback(own.unlink, missing_ok=True)
            yield own
        else:
            yield part


def _taken(part: Path, stack: contextlib.ExitStack) -> bool:
    """Whether another process holds the lock on `part`; else this one does until the stack ends."""
    if sys.platform == "win32":
        return False
    if not part.exists():
        part.touch()
        stack.callback(_remove_empty, part)
    try:
        fcntl.flock(stack.enter_context(part.open("rb")), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    return False


def _remove_empty(part: Path) -> None:
    if part.exists() and not _size(part):
        part.unlink()


class _Cut(OSError):
    """The connection ended before the file did."""


def _was_cut(problem: Exception) -> bool:
    """Whether there had been a connection: a reset or an early end, rather than none at all."""
    text = repr(problem)
    return isinstance(problem, _Cut) or "RemoteDisconnected" in text or "reset" in text.lower()


def _continue(url: str, part: Path, moved: Callable[[int], None], total: Callable[[int], None]) -> None:
    """One attempt: ask for what is missing and append it."""
    import requests
    from urllib3.exceptions import HTTPError

    have = _size(part)
    # "identity": a server that compresses on the way would make byte positions meaningless.
    headers = {"Accept-Encoding": "identity", "User-Agent": "residua"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(url, headers=headers, stream=True, timeout=(10, 60)) as response:
        if response.status_code == 416:  # nothing beyond what we have: complete, or another file
            if _whole_size(response.headers.get("Content-Range", "")) == have:
                return
            part.unlink()
            raise _Cut("the file changed at its publisher")
        response.raise_for_status()
        ranged = response.status_code == 206
        if ranged and not response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            part.unlink(missing_ok=True)
            raise _Cut("the server continued at another place")
        start = have if ranged else 0
        length = response.headers.get("Content-Length", "")
        whole = start + int(length) if length.isdigit() else 0
        total(whole)
        moved(start)
        arrived = start
        with part.open("ab" if ranged else "wb") as stream:
            try:
                for chunk in response.raw.stream(_CHUNK_BYTES, decode_content=False):
                    stream.write(chunk)
                    arrived += len(chunk)
                    moved(arrived)
                    if arrived > _MOST_BYTES:
                        raise requests.RequestException("the file has no end; it is larger than 2 GB")
            except HTTPError as problem:
                raise _Cut(f"the connection broke after {arrived} bytes") from problem
        if whole and arrived < whole:
            raise _Cut(f"the connection broke after {arrived} of {whole} bytes")


def _size(part: Path) -> int:
    try:
        return part.stat().st_size
    except FileNotFoundError:
        return 0


def _whole_size(content_range: str) -> int:
    size = content_range.rpartition("/")[2]
    return int(size) if size.isdigit() else -1


class _progress:
    """A bar on the error output that vanishes at the end; nothing where that is no terminal."""

    def __init__(self, name: str) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task(name, total=None)

    def __enter__(self) -> tuple[Callable[[int], None], Callable[[int], None]]:
        self._bar.start()
        return (
            lambda moved: self._bar.update(self._task, completed=moved),
            lambda total: self._bar.update(self._task, total=total or None),
        )

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
