"""Compiled kernels: made once on a machine, then read from disk, once in a process.

A kernel is a function of four numbers that shape its code, the address of its arguments, the number of the
part to do and the address of a scratch. For common channel counts the four numbers are compiled in as
constants (`literals`); for all others one general version takes them as arguments.

Kernels are built from several modules, so they lie in a folder named after everything that they depend on
(`kernel_files.fingerprint`). A stale kernel can not be found, let alone run.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TypeVar

from residua.engines.numba.runtime import carried, kernel_files, machine_code
from residua.engines.numba.runtime.compile_helper import CompileHelpers
from residua.engines.numba.runtime.fork import check_compiler, renew_in_child
from residua.engines.numba.runtime.kernel_names import Kernel, Key, Narrow, name_of
from residua.engines.numba.runtime.lowering_process import LoweringProcess
from residua.files.user_cache import NOWHERE, not_kept_in

T = TypeVar("T")


class Compiled:
    """What this process has of one folder's kernels; all its engines share it."""

    def __init__(self) -> None:
        self.addresses: dict[Key, int] = {}
        self.entries: dict[Kernel, Callable[..., None]] = {}
        self.lowered: dict[Kernel, bytes] = {}
        self.helpers: CompileHelpers | None = None
        self.narrow = LoweringProcess()
        self.announced = False
        self.count = 0  # that were compiled here
        renew_in_child(self)

    def renew(self) -> None:
        """In a forked child: the parent's helpers answer the parent."""
        self.narrow.leave()
        if self.helpers is not None:
            self.helpers.leave()
            self.helpers = None
            self.announced = False


_compiled: dict[Path | None, Compiled] = {}


class KernelCache:
    """The compiled kernels, by function and constants."""

    def __init__(self, say: Callable[[str], None] | None = None, helped: bool = True) -> None:
        """say: told once that kernels are compiled. helped: by other processes."""
        self._helped = helped
        self._say = say or (lambda line: print(line, file=sys.stderr, flush=True))
        folder = kernel_files.cache_folder()
        self.folder = folder if kernel_files.usable(folder) else None
        if self.folder is None and None not in _compiled:
            known = NOWHERE not in folder.parents
            reason = f": {folder} cannot be written" if known else not_kept_in(folder, "")
            self._say(f"residua: kernels are compiled anew in each process{reason}.")
        self._of_process = _compiled.setdefault(self.folder, Compiled())

    @property
    def compiled(self) -> int:
        """How many kernels this process had to compile."""
        return self._of_process.count

    @staticmethod
    def file_of(function: Kernel, literals: tuple[int, ...] = ()) -> str:
        """The name of the file in which a kernel's machine code is kept."""
        return f"{name_of(function, literals)}.o"

    def address(self, function: Kernel, literals: tuple[int, ...] = ()) -> int:
        """The machine code of a kernel, with these constants or, without any, the general one."""
        address = self._of_process.addresses.get((function, literals))
        if address is None:
            if self._of_process.helpers is not None:
                self._help(self._of_process.helpers, (function, literals))
            address = _undisturbed(lambda: self._load(function, literals))
        return address

    def _help(self, helpers: CompileHelpers, key: Key) -> None:
        """As long as another process makes that kernel, make others that wait."""
        while helpers.making(key):
            if (other := helpers.take()) is not None:
                _undisturbed(lambda other=other: self._load(*other))  # type: ignore[misc]
            else:
                helpers.wait(key)

    def will_need(self, function: Kernel, literals: tuple[int, ...] = ()) -> None:
        """Say that this kernel will be needed: while kernels are compiled here, other processes make it."""
        helpers = self._of_process.helpers
        if helpers is not None and (function, literals) not in self._of_process.addresses:
            helpers.request((function, literals))

    def entry(self, function: Kernel) -> Callable[..., None]:
        """A compiled function to be called from Python, with whole numbers; other threads run meanwhile."""
        entry = self._of_process.entries.get(function)
        if entry is None:
            kind = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * function.__code__.co_argcount)
            entry = self._of_process.entries[function] = kind(self.address(function))
        return entry

    # One at a time from the first look on: batches are prepared, and their kernel made, in a thread of
    # their own.
    def _load(self, function: Kernel, literals: tuple[int, ...]) -> int:
        check_compiler()
        name, file = name_of(function, literals), self.file_of(function, literals)
        with machine_code.LOCK:
            address = self._of_process.addresses.get((function, literals))
            if address is None:
                code = self._kept(file, lambda: self._make(function, literals, name))
                address = self._of_process.addresses[function, literals] = machine_code.load(code, name)
        return address

    def _make(self, function: Kernel, literals: tuple[int, ...], name: str) -> bytes:
        self._missed()
        lowered = self._of_process.lowered.get(function)
        if lowered is None:
            lowered = carried.find(function)
            if lowered is None:
                lowered = self._kept(f"{name_of(function)}.bc", lambda: self._lowered(function))
            self._of_process.lowered[function] = lowered
        return machine_code.machine_code(function, lowered, literals, name)

    def _lowered(self, function: Kernel) -> bytes:
        """The kernel in LLVM's language, by Numba, which is imported for it."""
        if isinstance(function, Narrow):
            return self._of_process.narrow.lowered(function)
        from residua.engines.numba.runtime import lowering

        return lowering.lowered(function)

    def _kept(self, file: str, make: Callable[[], bytes]) -> bytes:
        """What lies in the folder under that name; it is made where nothing does."""
        if self.folder is None:
            return make()
        path = self.folder / file
        code = kernel_files.read(path)
        if code is None:
            with kernel_files.alone(path):
                code = kernel_files.read(path)
                if code is None:
                    code = make()
                    kernel_files.write(path, code)
        return code

    def _missed(self) -> None:
        compiled = self._of_process
        compiled.count += 1
        if self.folder is not None and not compiled.announced:
            compiled.announced = True
            kernel_files.clear(self.folder)
            self._say("residua: compiling kernels for this machine; this happens once.")
            if self._helped:
                compiled.helpers = CompileHelpers()


def _undisturbed(work: Callable[[], T]) -> T:
    """The result of work in a thread of its own: an interrupt ends the waiting, not a half-done compiling.

    Numba and LLVM are not made to be stopped anywhere. What was begun is finished, and is there when it is
    next asked for.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    result: Future[T] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as error:
            result.set_exception(error)

    threading.Thread(target=run, name="residua-compile").start()
    return result.result()
