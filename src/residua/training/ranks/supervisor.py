"""A command whose work is done by a process of its own, so that it ends in one line however that ends.

JAX ends a process of several hosts by force where host 0 is gone, with pages about its own inside; nothing
within the process can prevent that. What the work prints goes where it always goes; what machine code prints
beside it goes nowhere.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from types import FrameType
from typing import IO, Any, NoReturn

_VARIABLE = "RESIDUA_SUPERVISED"  # what the pipes and streams are, as numbers
_SAY, _FEAR = "say", "fear"

_words: list[IO[str]] = []
_orphaned: list[Callable[[], None]] = []


def supervise(arguments: Sequence[str]) -> int:
    """`residua` with these arguments in a process of its own; its exit code."""
    words, told = os.pipe()
    alive, living = os.pipe()
    out, errors = os.dup(1), os.dup(2)
    theirs = (out, errors, told, alive)
    environment = os.environ | {_VARIABLE: " ".join(map(str, theirs))}
    work = subprocess.Popen(
        [sys.executable, "-m", "residua", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment,
        pass_fds=theirs,
        start_new_session=True,  # Ctrl-C comes once, through here
    )
    for number in theirs:
        os.close(number)
    said: dict[str, str] = {}
    with _passing_on(work), os.fdopen(words, encoding="utf-8", errors="surrogateescape") as lines:
        for line in lines:
            kind, _, text = line.rstrip("\n").partition(" ")
            said[kind] = text
        code = work.wait()
    os.close(living)
    if _SAY in said:
        ending, _, text = said[_SAY].partition(" ")
        return _ended(text, int(ending))
    if code >= 0:
        return code
    if -code == signal.SIGABRT and _FEAR in said:
        return _ended(said[_FEAR], 2)
    return _ended(f"the process that trains was ended by {_signal_name(-code)}", 128 - code)


def _ended(line: str, code: int) -> int:
    with contextlib.suppress(OSError, ValueError):  # who reads it may be gone, too
        print(f"residua: {line}", file=sys.stderr, flush=True)
    return code


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextlib.contextmanager
def _passing_on(work: subprocess.Popen[bytes]) -> Any:
    """Ctrl-C and the like are the work's to answer."""

    def pass_on(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            work.send_signal(number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, pass_on) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)


# ---------------------------------------------------------------------- within the process that works
def supervised() -> bool:
    """Whether this is a process that another one looks after."""
    return _VARIABLE in os.environ


def take_over() -> None:
    """Print where the command prints, and end with it. Once, at the start."""
    out, errors, told, alive = map(int, os.environ[_VARIABLE].split())
    for number in (out, errors, told, alive):
        os.set_inheritable(number, False)
    for name, number in (("stdout", out), ("stderr", errors)):
        stream: io.TextIOWrapper = getattr(sys, name)
        options: Any = {"encoding": stream.encoding, "errors": stream.errors, "line_buffering": True}
        setattr(sys, name, io.TextIOWrapper(os.fdopen(number, "wb"), **options))
    _words.append(os.fdopen(told, "w", encoding="utf-8", errors="surrogateescape"))

    def wait() -> None:
        os.read(alive, 1)  # nothing comes, until the command is gone
        for act in _orphaned[-1:]:
            act()
        os._exit(2)

    threading.Thread(target=wait, name="residua-command", daemon=True).start()


def end(code: int) -> NoReturn:
    """End this process, and not by Python's own end, where JAX would wait for hosts that may be gone."""
    sys.stdout.flush()
    if code == 0 and (mpi := sys.modules.get("mpi4py.MPI")) is not None:
        mpi.Finalize()  # or mpiexec takes it for a failure
    os._exit(code)


def on_orphaned(act: Callable[[], None]) -> None:
    """What to do when the command has been killed."""
    _orphaned.append(act)


def tell(line: str, code: int) -> None:
    """The last line of this process, which will end with that code."""
    if _words:
        _send(_SAY, f"{code} {line}")
    else:
        _ended(line, code)


def fear(line: str) -> None:
    """What is to be said should JAX end this process."""
    if _words:
        _send(_FEAR, line)


def _send(kind: str, text: str) -> None:
    with contextlib.suppress(OSError, ValueError):
        print(kind, " ".join(text.split()), file=_words[-1], flush=True)
