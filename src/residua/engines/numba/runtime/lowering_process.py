"""Kernels for narrow vectors in LLVM's language: by a process of that width, as a width is a process' own.

It is started at the first kernel that is missing on this machine and not carried, and ends with this process:
it reads the names of kernels and writes, for each, how many bytes there are, and these.
"""

from __future__ import annotations

import sys
import weakref
from typing import IO

from residua.engines.numba.runtime import worker_process
from residua.engines.numba.runtime.kernel_names import Narrow, as_line, from_line
from residua.engines.numba.runtime.processor import NARROW
from residua.engines.numba.runtime.worker_process import Process, pipe
from residua.errors import EngineError

COUNT = 8  # bytes of a number of bytes
_START = f"from {__name__} import serve; serve()"


class LoweringProcess:
    """That process, as the first one sees it; for whoever holds `machine_code.LOCK`."""

    def __init__(self) -> None:
        self._process: Process | None = None
        self._ending: weakref.finalize[..., LoweringProcess] | None = None

    def lowered(self, function: Narrow) -> bytes:
        """LLVM's bitcode of the kernel. Raises EngineError where the process cannot make it."""
        try:
            process = self._process or self._start()
            pipes = pipe(process.stdin), pipe(process.stdout)
            pipes[0].write(f"{as_line((function.function, ()))}\n".encode())
            size = int.from_bytes(_exactly(pipes[1], COUNT), "little")
            return _exactly(pipes[1], size)
        except (OSError, ValueError, EOFError) as error:
            self.end()
            raise EngineError(
                f"{function.function.__name__} must be compiled for narrow vectors, and the process that "
                "does so has ended: set RESIDUA_VECTOR_WIDTH=16 to do without"
            ) from error

    def _start(self) -> Process:
        width, registers = map(str, NARROW)
        told = {"RESIDUA_VECTOR_WIDTH": width, "RESIDUA_VECTOR_REGISTERS": registers, "PYTHONHASHSEED": "0"}
        self._process = worker_process.start("-c", _START, told=told)
        self._ending = weakref.finalize(self, worker_process.end, [self._process])
        return self._process

    def end(self) -> None:
        """End the process; the next kernel starts another."""
        if self._ending is not None:
            self._ending()
        self._process = None

    def leave(self) -> None:
        """In a forked child: let go of the parent's process without ending it."""
        if self._process is not None and self._ending is not None:
            self._ending.detach()
            worker_process.leave([self._process])
        self._process = None


def _exactly(stream: IO[bytes], count: int) -> bytes:
    """So many bytes. Raises EOFError where there are fewer."""
    content = b""
    while len(content) < count:
        piece = stream.read(count - len(content))
        if not piece:
            raise EOFError
        content += piece
    return content


def serve() -> None:
    """The other process' life."""
    from residua.engines.numba.runtime.lowering import lowered

    for line in sys.stdin.buffer:
        code = lowered(from_line(line.decode())[0])
        sys.stdout.buffer.write(len(code).to_bytes(COUNT, "little") + code)
        sys.stdout.buffer.flush()
