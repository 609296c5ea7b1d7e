"""Compiled kernels: made once on a machine, then read from disk, once in a process.

A kernel is a function of four numbers that shape its code, the address of its arguments, the number of the
part to do and the address of a scratch. For common channel counts the four numbers are compiled in as
constants (`literals`); for all others one general version takes them as arguments.

Kernels are built from several modules, so they lie in a folder named after everything that they depend on
(`kernel_files.fingerprint`). A stale kernel can not be found, let alone run.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.compiler_lock import global_compiler_lock

from residua.engines.numba.kernels.primitives.vector import KERNEL
from residua.engines.numba.runtime import kernel_files, machine_code
from residua.engines.numba.runtime.compile_helper import KERNELS, CompileHelper
from residua.engines.numba.runtime.fork import check_compiler, renew_in_child
from residua.files.user_cache import NOWHERE, not_kept_in

T = TypeVar("T")


class _Locator(_CacheLocator):
    """Tells Numba our folder; its name holds the source's state, so the stamp is constant."""

    folder: Path

    def __init__(self, py_func: Any) -> None:
        self._name = _name_of(py_func, ())

    def get_cache_path(self) -> str:
        return str(self.folder)

    def get_source_stamp(self) -> Any:
        return self.folder.name

    def get_disambiguator(self) -> str:
        return self._name

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> Any:
        return cls(py_func)


class _Implementation(CompileResultCacheImpl):
    _locator_classes = (_Locator,)


class _Cache(FunctionCache):
    """Numba's cache, in our folder, that tells when it holds nothing and compiling begins."""

    _impl_class = _Implementation
    missed: Callable[[], None]

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        result = super().load_overload(sig, target_context)
        if result is None:
            self.missed()
        return result


def _name_of(function: Callable[..., Any], literals: tuple[int, ...]) -> str:
    """The name of a kernel's file."""
    module = function.__module__.removeprefix(KERNELS).replace(".", "-")
    return "-".join([module, function.__name__, *map(str, literals)])


class Compiled:
    """What this process has of one folder's kernels; all its engines share it."""

    def __init__(self) -> None:
        self.addresses: dict[Any, int] = {}
        self.entries: dict[Any, Any] = {}
        self.lowered: dict[Any, bytes] = {}
        self.helper: CompileHelper | None = None
        self.announced = False
        self.count = 0  # that were compiled here
        renew_in_child(self)

    def renew(self) -> None:
        """In a forked child: the parent's helper answers the parent."""
        if self.helper is not None:
            self.helper.leave()
            self.helper = None
            self.announced = False


_compiled: dict[Path | None, Compiled] = {}


class KernelCache:
    """The compiled kernels, by function and constants."""

    def __init__(self, say: Callable[[str], None] | None = None, helped: bool = True) -> None:
        """say: told once that kernels are compiled. helped: by a second process."""
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

    def address(self, function: Callable[..., Any], literals: tuple[int, ...] = ()) -> int:
        """The machine code of a kernel, with these constants or, without any, the general one."""
        address = self._of_process.addresses.get((function, literals))
        if address is None:
            if self._of_process.helper is not None:
                self._of_process.helper.wait((function, literals))
            address = _undisturbed(lambda: self._load(function, literals))
        return address

    def will_need(self, function: Callable[..., Any], literals: tuple[int, ...] = ()) -> None:
        """Say that this kernel will be needed: while others compile here, a second process makes it."""
        helper = self._of_process.helper
        if helper is not None and (function, literals) not in self._of_process.addresses:
            helper.request((function, literals))

    def entry(self, function: Callable[..., Any], signature: tuple[Any, ...]) -> Any:
        """A compiled function to be called from Python."""
        entry = self._of_process.entries.get(function)
        return entry or _undisturbed(lambda: self._load_entry(function, signature))

    # One at a time from the first look on: batches are prepared, and their kernel made, in a thread of
    # their own.
    def _load(self, function: Callable[..., Any], literals: tuple[int, ...]) -> int:
        check_compiler()
        name = _name_of(function, literals)
        with global_compiler_lock:
            address = self._of_process.addresses.get((function, literals))
            if address is None:
                code = self._kept(f"{name}.o", lambda: self._make(function, literals, name))
                address = self._of_process.addresses[function, literals] = machine_code.load(code, name)
        return address

    def _make(self, function: Callable[..., Any], literals: tuple[int, ...], name: str) -> bytes:
        self._missed()
        lowered = self._of_process.lowered.get(function)
        if lowered is None:
            file = f"{_name_of(function, ())}.bc"
            lowered = self._kept(file, lambda: machine_code.lowered(function))
            self._of_process.lowered[function] = lowered
        return machine_code.machine_code(function, lowered, literals, name)

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

    def _load_entry(self, function: Callable[..., Any], signature: tuple[Any, ...]) -> Any:
        check_compiler()
        with global_compiler_lock:
            entry = self._of_process.entries.get(function)
            if entry is None:
                dispatcher = njit(**KERNEL)(function)
                if self.folder is None:
                    self._missed()
                    dispatcher.compile(signature)
                else:
                    _Locator.folder = self.folder
                    cache = dispatcher._cache = _Cache(dispatcher.py_func)
                    cache.missed = self._missed
                    with kernel_files.alone(self.folder / _name_of(function, ())), machine_code.optimised():
                        dispatcher.compile(signature)
                entry = dispatcher.overloads[signature].entry_point
                self._of_process.entries[function] = entry
        return entry

    def _missed(self) -> None:
        compiled = self._of_process
        compiled.count += 1
        if self.folder is not None and not compiled.announced:
            compiled.announced = True
            kernel_files.clear(self.folder)
            self._say("residua: compiling kernels for this machine; this happens once.")
            if self._helped:
                compiled.helper = CompileHelper()


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
