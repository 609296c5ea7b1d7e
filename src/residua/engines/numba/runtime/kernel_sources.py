"""What kernels are built from: their sources, Numba, LLVM, the vectors; and digests of that."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import llvmlite
from llvmlite import binding

from residua.engines.numba.kernels.primitives.vector import REGISTERS, WIDTH
from residua.engines.numba.runtime.kernel_names import Kernel, Narrow
from residua.engines.numba.runtime.machine_code import LEVEL
from residua.engines.numba.runtime.processor import NARROW

_ROOT = Path(__file__).parents[1]
_PACKAGE = "residua.engines.numba."
_LOWERING = "runtime.lowering"
# Read as the modules are: what is edited while a process runs must not pass for what it compiles.
SOURCES = {
    ".".join(path.relative_to(_ROOT).with_suffix("").parts): path.read_bytes()
    for folder in ("kernels", "runtime")
    for path in sorted(_ROOT.joinpath(folder).rglob("*.py"))
    if folder == "kernels" or path.stem in ("machine_code", "lowering")
}


@cache
def numba_version() -> bytes:
    """What Numba says of its version, in a file: importing it takes half a second. Nothing without Numba."""
    found = importlib.util.find_spec("numba")
    if found is None or found.origin is None:
        return b""
    try:
        return Path(found.origin).with_name("_version.py").read_bytes()
    except OSError:
        return b"unknown"


def vectors_of(function: Kernel | None = None) -> tuple[int, int]:
    """Floats in a vector and vectors in registers of that kernel, of all but narrow ones without any."""
    return NARROW if isinstance(function, Narrow) else (WIDTH, REGISTERS)


def lowering(function: Kernel | None = None) -> tuple[object, ...]:
    """What a kernel in LLVM's language depends on beside sources."""
    triple = binding.get_process_triple()
    return numba_version(), llvmlite.__version__, triple, *vectors_of(function), LEVEL


@cache
def digest(function: Kernel) -> str:
    """A digest of all that a kernel in LLVM's language depends on, among it the modules it takes from."""
    result = hashlib.sha256(repr(lowering(function)).encode())
    used: set[str] = set()
    _collect(function.__module__.removeprefix(_PACKAGE), used)
    _collect(_LOWERING, used)
    for name in sorted(used):
        result.update(name.encode())
        result.update(SOURCES[name])
    return result.hexdigest()[:32]


def _collect(module: str, used: set[str]) -> None:
    """Add the module and, one after the other, all that are imported."""
    if module not in used and module in SOURCES:
        used.add(module)
        for name in _imported(module):
            _collect(name, used)


@cache
def _imported(module: str) -> list[str]:
    return list(_names(ast.parse(SOURCES[module])))


def _names(tree: ast.AST) -> Iterator[str]:
    """Every name that may be a module's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name.removeprefix(_PACKAGE) for name in names if name.startswith(_PACKAGE))
