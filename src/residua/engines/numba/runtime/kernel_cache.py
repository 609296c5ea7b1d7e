"""Compiled kernels: made once on a machine, then read from disk.

A kernel is a function of four numbers that shape its code, the address of its arguments, the number of the
part to do and the address of a scratch. For common channel counts the four numbers are compiled in as
constants (`literals`); for all others one general version takes them as arguments.

Numba's own cache looks at the time stamp of one source file. Kernels are built from several, so they lie in
a folder named after everything that they depend on: the source of every module in `kernels`, the versions
of Numba and llvmlite, the processor and the vector width. A stale kernel can not be found, let alone run.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
from llvmlite import binding
from numba import njit, types
from numba.core import config
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator
from numba.core.compiler_lock import global_compiler_lock
from platformdirs import user_cache_path

from residua.engines.numba.kernels.primitives.vector import BARE, KERNEL, REGISTERS, WIDTH
from residua.engines.numba.runtime.compile_helper import KERNELS, CompileHelper

# The kernels' loops are unrolled by hand: what LLVM's third level adds is code, and a quarter of the time
# to compile, not speed.
LEVEL = 2

# Read as the modules are: what is edited while a process runs must not pass for what it compiles.
SOURCES = [
    (path.name, path.read_bytes())
    for path in sorted(Path(__file__).parents[1].joinpath("kernels").rglob("*.py"))
]


def fingerprint() -> str:
    """A digest of all that kernels are built from."""
    digest = hashlib.sha256()
    for name, source in SOURCES:
        digest.update(name.encode())
        digest.update(source)
    features = ",".join(sorted(k for k, v in binding.get_host_cpu_features().items() if v))
    versions = (
        numba.__version__,
        llvmlite.__version__,
        sys.version,
        binding.get_host_cpu_name(),
        features,
        WIDTH,
        REGISTERS,
        LEVEL,
    )
    digest.update(repr(versions).encode())
    return digest.hexdigest()[:20]


def cache_folder() -> Path:
    """Where this machine's kernels lie: RESIDUA_KERNEL_CACHE, or the user's cache folder."""
    root = os.environ.get("RESIDUA_KERNEL_CACHE")
    return (Path(root) if root else user_cache_path("residua") / "kernels") / fingerprint()


class _Locator(_CacheLocator):
    """Tells Numba our folder; its name holds the source's state, so the stamp is constant."""

    folder: Path

    def __init__(self, py_func: Any) -> None:
        module = py_func.__module__.removeprefix(KERNELS)
        self._name = f"{module.replace('.', '-')}-{py_func.__name__}"

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


def _usable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


class KernelCache:
    """The compiled kernels of this process, by function and constants."""

    def __init__(self, say: Callable[[str], None] | None = None, helped: bool = True) -> None:
        """say: told once that kernels are compiled. helped: by a second process."""
        self.helped = helped
        self._say = say or (lambda line: print(line, file=sys.stderr, flush=True))
        self._dispatchers: dict[Any, Any] = {}
        self._addresses: dict[Any, int] = {}
        self._entries: dict[Any, Any] = {}
        self._helper: CompileHelper | None = None
        self._announced = False
        self.compiled = 0
        self.folder: Path | None = cache_folder()
        if _usable(self.folder):
            _Locator.folder = self.folder
        else:
            self._say(f"residua: kernels are compiled anew each time: {self.folder} cannot be written.")
            self.folder = None

    def address(self, function: Callable[..., Any], literals: tuple[int, ...] = ()) -> int:
        """The machine code of a kernel, with these constants or, without any, the general one."""
        key = (function, literals)
        address = self._addresses.get(key)
        if address is None:
            if self._helper is not None:
                self._helper.wait(key)
            shape = tuple(types.literal(n) for n in literals) if literals else (types.int64,) * 4
            result = self._load(function, (*shape, types.int64, types.int64, types.int64), BARE)
            address = int(result.library.get_pointer_to_function(result.fndesc.llvm_func_name))
            self._addresses[key] = address
        return address

    def will_need(self, function: Callable[..., Any], literals: tuple[int, ...] = ()) -> None:
        """Say that this kernel will be needed: while others compile here, a second process makes it."""
        if self._helper is not None and (function, literals) not in self._addresses:
            self._helper.request((function, literals))

    def entry(self, function: Callable[..., Any], signature: tuple[Any, ...]) -> Any:
        """A compiled function to be called from Python."""
        entry = self._entries.get(function)
        if entry is None:
            entry = self._entries[function] = self._load(function, signature, {}).entry_point
        return entry

    def _load(
        self, function: Callable[..., Any], signature: tuple[Any, ...], options: dict[str, bool]
    ) -> Any:
        # One at a time from the first look on: batches are prepared, and their kernel made, in a thread of
        # their own.
        with global_compiler_lock:
            dispatcher = self._dispatchers.get(function)
            if dispatcher is None:
                dispatcher = self._dispatchers[function] = njit(**KERNEL, **options)(function)
                if self.folder is not None:
                    cache = dispatcher._cache = _Cache(dispatcher.py_func)
                    cache.missed = self._missed
            level, config.OPT = config.OPT, type(config.OPT)(LEVEL)
            try:
                dispatcher.compile(signature)
            finally:
                config.OPT = level
        return dispatcher.overloads[signature]

    def _missed(self) -> None:
        self.compiled += 1
        if not self._announced:
            self._announced = True
            self._say("residua: compiling kernels for this machine; this happens once.")
            if self.helped and self.folder is not None:
                self._helper = CompileHelper()
