"""One call watched: what it raises, how long it computes, how much memory it takes, what it runs or writes."""

from __future__ import annotations

import contextlib
import gc
import os
import re
import resource
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from residua.errors import ResiduaError

SECONDS, BYTES, LETTERS = 1.0, 64 * 2**20, 1500
PAGE = resource.getpagesize()
FORBIDDEN = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "subprocess.Popen", "pty.spawn",
             "socket.connect", "socket.bind", "pickle.find_class", "ctypes.dlopen", "webbrowser.open",
             "shutil.rmtree", "os.kill", "exec")  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass
class Outcome:
    """What a call came to: loaded, refused in words, or a finding; seconds of processor, bytes taken."""

    loaded: bool = False
    refusal: str = ""
    finding: str = ""
    details: str = ""
    seconds: float = 0.0
    memory: int = 0
    warnings: list[str] = field(default_factory=list)


class Watch:
    """Watches calls; `folder` is where they may write. Once made, the audit hook stays for the process."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.active, self.events = str(folder), False, []
        self.floor = 0
        sys.addaudithook(self._hear)
        self._settle()

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.active:
            return
        if event.startswith(FORBIDDEN):
            if event == "shutil.rmtree" and str(arguments[0]).startswith(self.folder):
                return
            if event == "exec" and _by_python_itself():
                return
            self.events.append(f"{event} {re.sub('0x[0-9a-f]+', '', str(arguments))[:100]}")
        elif event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            _, mode, flags = (*arguments, None, 0)[:3]
            if (flags or 0) & WRITING or (mode and set(mode) & set("wax+")):
                place = os.path.abspath(os.fsdecode(arguments[0]))
                if not place.startswith((self.folder, "/dev/null")):
                    self.events.append(f"writes {place[:100]}")

    def _settle(self) -> None:
        """Forget the most memory that was taken so far."""
        gc.collect()
        with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as stream:
            stream.write("5")
        self.resident = _resident()
        self.floor = self.resident + BYTES

    def call(self, function: Callable[[], Any]) -> Outcome:
        """The outcome; what took too long or too much is done once more before it is said."""
        outcome = self._once(function)
        if outcome.finding:
            return outcome
        if outcome.seconds > SECONDS:
            outcome.seconds = min(outcome.seconds, self._once(function).seconds)
            if outcome.seconds > SECONDS:
                outcome.finding = f"takes {outcome.seconds:.1f} s of processor"
        if _peak() > self.floor:
            self._settle()
            self._once(function)
            outcome.memory = _peak() - self.resident
            if outcome.memory > BYTES:
                outcome.finding = outcome.finding or f"takes {outcome.memory / 2**20:.0f} MB"
            self._settle()
        return outcome

    def _once(self, function: Callable[[], Any]) -> Outcome:
        outcome, self.events = Outcome(), []
        with _listening(outcome.warnings):
            self.active, start = True, time.process_time()
            try:
                function()
                outcome.loaded = True
            except ResiduaError as error:
                outcome.refusal = str(error)
            except (Exception, SystemExit) as error:
                outcome.finding = f"{type(error).__name__}: {' '.join(str(error).split())[:150]}"
                outcome.details = traceback.format_exc()
            finally:
                self.active = False
                outcome.seconds = time.process_time() - start
        if self.events:
            outcome.finding = f"runs or writes: {self.events[0]}"
        elif "\n" in outcome.refusal:
            outcome.finding = f"refusal of several lines: {outcome.refusal[:150]!r}"
        elif len(outcome.refusal) > LETTERS:
            outcome.finding = f"refusal of {len(outcome.refusal)} letters: {outcome.refusal[:150]!r}"
        return outcome


def _by_python_itself() -> bool:
    """Whether a module is being imported, or an annotation read."""
    frame = sys._getframe()
    while frame is not None:
        if (
            frame.f_code.co_filename.startswith("<frozen importlib")
            or frame.f_globals.get("__name__") == "typing"
        ):
            return True
        frame = frame.f_back  # type: ignore[assignment]
    return False


@contextlib.contextmanager
def _listening(heard: list[str]) -> Iterator[None]:
    before, show = warnings.filters[:], warnings.showwarning
    warnings.simplefilter("always")
    warnings.showwarning = lambda message, category, *_, **__: heard.append(f"{category.__name__}: {message}")
    try:
        yield
    finally:
        warnings.filters[:], warnings.showwarning = before, show


def _resident() -> int:
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
    except OSError:
        return _peak()


def _peak() -> int:
    """The most memory since it was last forgotten; getrusage also counts what the parent had."""
    try:
        with open("/proc/self/status", "rb") as stream:
            return int(stream.read().partition(b"VmHWM:")[2].split(None, 1)[0]) * 1024
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
