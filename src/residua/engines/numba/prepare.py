"""A second process that compiles while the first one does: backward kernels during the forward pass.

Compiling holds the interpreter's lock, so threads do not help. The helper is started at the first kernel
that is missing on this machine; it reads the kernels to make from its input, leaves them in the cache, and
says on its output which are done.
"""

from __future__ import annotations

import contextlib
import importlib
import subprocess
import sys
import weakref
from collections.abc import Callable
from typing import IO, Any

Key = tuple[Callable[..., Any], tuple[int, ...]]
PACKAGE = __name__.rpartition(".")[0]


def as_line(key: Key) -> str:
    """A kernel and its constants as a line of text."""
    function, literals = key
    return " ".join([function.__module__.rpartition(".")[2], function.__name__, *map(str, literals)])


class Helper:
    """The second process, as the first one sees it."""

    def __init__(self) -> None:
        self._asked: set[str] = set()
        self._done: set[str] = set()
        self._process: subprocess.Popen[str] | None = None
        # Where no process can be started, everything is compiled here, later.
        with contextlib.suppress(OSError, ValueError):
            self._process = subprocess.Popen(
                [sys.executable, "-m", f"{PACKAGE}.prepare"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            weakref.finalize(self, _end, self._process)

    def ask(self, key: Key) -> None:
        """Have this kernel compiled."""
        line = as_line(key)
        if self._process is None or line in self._asked:
            return
        self._asked.add(line)
        try:
            _pipe(self._process.stdin).write(line + "\n")
            _pipe(self._process.stdin).flush()
        except OSError:
            self._process = None

    def wait(self, key: Key) -> None:
        """Until the kernel is in the cache, if it was asked for and the helper lives."""
        line = as_line(key)
        while self._process is not None and line in self._asked - self._done:
            answer = _pipe(self._process.stdout).readline()
            if not answer:
                self._process = None
            self._done.add(answer.strip())


def _pipe(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            _pipe(stream).close()


def main() -> None:
    """The helper's life: a line in, a kernel made, the line out."""
    from residua.engines.numba.cache import Kernels

    kernels = Kernels(say=lambda line: None)
    for line in sys.stdin:
        module, name, *literals = line.split()
        function = getattr(importlib.import_module(f"{PACKAGE}.kernels.{module}"), name)
        kernels.address(function, tuple(map(int, literals)))
        print(line, end="", flush=True)


if __name__ == "__main__":
    main()
