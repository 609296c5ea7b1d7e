"""Who trains a trial, and whether they still live: by host, process and start time, or by a heartbeat.

A trial is had by whoever wrote its newest file `workers/NUMBER-TURN.json`: a file that only one can make.
Of a process on this machine the system tells whether it lives. Of one elsewhere its heartbeat tells: a file
that changes every `BEAT_SECONDS`, watched by this machine's own clock, so that clocks need not agree.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

from residua.files.durable import write_once

BEAT_SECONDS = 10.0
LOOK_SECONDS = 1.0  # for whoever began a worker
SILENT_BEATS = 10  # without a change, after which a worker elsewhere counts as dead

_held: set[Path] = set()  # the turns that this very process is at
_taking = threading.Lock()


@dataclass(frozen=True)
class Owner:
    """A process: its host, the boot and namespace in which its number holds, the number, when it began.

    reached: the trial's newest checkpoint, when this process took it.
    """

    host: str
    space: str
    process: int
    start: str
    reached: str = ""

    def __str__(self) -> str:
        return f"{self.host} (process {self.process})"


def this_process(reached: str = "") -> Owner:
    """Whoever asks."""
    return Owner(platform.node(), _space(), os.getpid(), _start(os.getpid()) or "", reached)


@cache
def _space() -> str:
    """What makes a process number one of a kind: the boot, and in containers the namespace."""
    parts = [platform.node()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(parts)


def _start(process: int) -> str | None:
    """When a process of this machine began, in the system's own words; None where it is gone.

    A process that has ended and that nobody waited for is gone too.
    """
    if Path("/proc/self/stat").exists():
        try:
            words = Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if words[0] in "ZX" else words[19]
    if os.name == "nt":  # its heartbeat has to tell
        return ""
    asked = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(process)], capture_output=True, text=True, check=False
    )
    state, _, start = asked.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else start.strip()


def lives(owner: Owner) -> bool | None:
    """Whether a process lives; None where that cannot be seen from here."""
    if owner.space != _space() or not owner.start:
        return None
    return _start(owner.process) == owner.start


def orphaned(parent: int | None) -> bool:
    """Whether the process that began this one, and without which it shall not go on, is gone."""
    return parent is not None and os.getppid() != parent


class Watch:
    """What one worker sees of the others: whose trial is free to be taken."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._beats: dict[Path, tuple[bytes, float]] = {}

    def take(self, stem: Path, reached: str) -> Turn | None:
        """The trial whose files begin with `stem`, if nobody alive has it and nobody else is faster."""
        with _taking:  # threads of one process cannot tell each other apart by its files
            turns = _turns(stem)
            if turns and not self._abandoned(stem, turns[-1]):
                return None
            turn = Turn(stem, len(turns) + 1)
            owner = this_process(reached)
            if not write_once(turn.path, json.dumps(asdict(owner)).encode()):
                return None
            _held.add(turn.path)
            return turn

    def _abandoned(self, stem: Path, newest: Path) -> bool:
        if _beat(stem) == _left(newest).encode():
            return True  # its owner lives, and has left it
        owner = read_owner(newest)
        if owner is not None:
            if replace(owner, reached="") == this_process():
                return newest not in _held  # this process had it, and was interrupted
            if (alive := lives(owner)) is not None:
                return not alive
        beat, now = _beat(stem), self.clock()
        seen, since = self._beats.get(newest, (None, now))
        if seen != beat:
            self._beats[newest] = (beat, now)
            return False
        return now - since > SILENT_BEATS * BEAT_SECONDS


@dataclass(frozen=True)
class Turn:
    """The right to train a trial: the `number`-th process that has it, from 1."""

    stem: Path
    number: int

    @property
    def path(self) -> Path:
        """The file by which others know."""
        return self.stem.with_name(f"{self.stem.name}-{self.number:04d}.json")

    def lost(self) -> bool:
        """Whether another process has taken the trial: this one was taken for dead."""
        return self.path.with_name(f"{self.stem.name}-{self.number + 1:04d}.json").exists()

    def end(self) -> None:
        """Have it no more; a process that lives on says so to the others."""
        _held.discard(self.path)
        if not self.lost():
            with suppress(OSError):
                self.stem.with_suffix(".beat").write_text(_left(self.path))


def turns_without_progress(stem: Path) -> int:
    """How many of the last processes that had a trial found it where the one before had."""
    reached = [owner.reached if (owner := read_owner(path)) else "" for path in _turns(stem)]
    count = 0
    while count < len(reached) and reached[-1 - count] == reached[-1]:
        count += 1
    return count


def last_owner(stem: Path) -> Owner | None:
    """Who had a trial last; None before anybody had."""
    turns = _turns(stem)
    return read_owner(turns[-1]) if turns else None


def read_owner(path: Path) -> Owner | None:
    """The process that a file names; None where it cannot be read."""
    try:
        return Owner(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _left(turn: Path) -> str:
    """What a heartbeat says once the process of a turn has left its trial."""
    return f"left {turn.stem}"


def _turns(stem: Path) -> list[Path]:
    return sorted(stem.parent.glob(f"{stem.name}-*.json"))


def _beat(stem: Path) -> bytes:
    try:
        return stem.with_suffix(".beat").read_bytes()
    except OSError:
        return b""


class Heart:
    """A thread that beats while a trial is trained, and says when it is to be given up.

    on_lost: called where another process has taken the trial, or where whoever began this one is gone.
    """

    def __init__(self, turn: Turn, on_lost: Callable[[], object], parent: int | None = None) -> None:
        self.turn, self.on_lost, self.parent = turn, on_lost, parent
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        count = 0
        while True:
            count += 1
            with suppress(OSError):  # a full disk ends the training itself, in its own words
                self.turn.stem.with_suffix(".beat").write_text(f"{self.turn.number} {count}\n")
            for _ in range(int(BEAT_SECONDS / LOOK_SECONDS)):
                if self._ended.wait(LOOK_SECONDS):
                    return
                if orphaned(self.parent):
                    self.on_lost()
                    return
            if self.turn.lost():
                self.on_lost()
                return
