"""A second process that compiles while the first one does: backward kernels during the forward pass.

Compiling holds the interpreter's lock, so threads do not help. The helper is started at the first kernel
that is missing on this machine, and is `compile_worker`; here is what the first process knows of it.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable
from typing import IO, Any

Key = tuple[Callable[..., Any], tuple[int, ...]]
KERNELS = "residua.engines.numba.kernels."  # below it, modules are named in messages
WORKER = "residua.engines.numba.runtime.compile_worker"


def as_line(key: Key) -> str:
    """A kernel and its constants as a line of text."""
    function, literals = key
    return " ".join([function.__module__.removeprefix(KERNELS), function.__name__, *map(str, literals)])


# What every training needs beside its convolutions: made while the first of these are compiled.
USUAL = (
    "linear.product forward",
    "linear.product weight_gradient",
    "linear.product input_gradient",
    "linear.softmax cross_entropy",
    "linear.softmax count_correct",
    "updates.optimizers update 4 1 1 0",
    "updates.optimizers update 3 2 1 0",
    "updates.optimizers update 0 3 2 0",
    "updates.reductions reduce_pieces 0 0 0 0",
    "updates.reductions reduce_pieces 1 0 0 0",
    "weights.winograd transform_transposed",
    "normalization.passes mask_gradient",
    "normalization.passes normalize",
)


class CompileHelper:
    """The second process, as the first one sees it."""

    def __init__(self) -> None:
        self._requested: set[str] = set()
        self._started: set[str] = set()
        self._done: set[str] = set()
        self._changed = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        # Where no process can be started, everything is compiled here, later.
        with contextlib.suppress(OSError, ValueError):
            # Without buffers: these have locks, which a forked child would find taken.
            self._process = subprocess.Popen(
                [sys.executable, "-m", WORKER],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0,
            )  # fmt: skip
            self._ending = weakref.finalize(self, _end, self._process)
            threading.Thread(target=_listen, args=(weakref.ref(self), self._process), daemon=True).start()
        for line in USUAL:
            self._send(line)

    def request(self, key: Key) -> None:
        """Have this kernel compiled."""
        self._send(as_line(key))

    def _send(self, line: str) -> None:
        if self._process is None or line in self._requested:
            return
        self._requested.add(line)
        try:
            _pipe(self._process.stdin).write(f"{line}\n".encode())
        except OSError:
            self._process = None

    def leave(self) -> None:
        """In a forked child: let go of the parent's process without ending it."""
        if self._process is not None:
            self._ending.detach()
            for stream in (self._process.stdin, self._process.stdout):
                _pipe(stream).close()
            self._process = None

    def receive(self, message: str) -> None:
        """What the second process says: `begin` or `done` and a kernel; nothing once it is gone."""
        word, _, line = message.strip().partition(" ")
        with self._changed:
            if not word:
                self._process = None
            (self._started if word == "begin" else self._done).add(line)
            self._changed.notify_all()

    def wait(self, key: Key) -> None:
        """Until the kernel is in the cache, if it is being made; one that waits is made here instead."""
        line = as_line(key)
        with self._changed:
            while self._process is not None and line in self._started - self._done:
                self._changed.wait()


def _listen(helper: weakref.ref[CompileHelper], process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for message in _pipe(process.stdout):
            listener = helper()
            if listener is None:
                return
            listener.receive(message.decode())
            del listener
    if listener := helper():
        listener.receive("")


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            _pipe(stream).close()
