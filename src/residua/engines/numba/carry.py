"""Make the kernels in LLVM's language that a built package carries (`runtime.carried`).

    python -m residua.engines.numba.carry [--host] [FOLDER]

For the widths of vectors that processors of this kind have, or with --host only for those of this process;
into the package itself where no folder is told. What lies there and is made from today's sources is left
alone. Two makings give the same bytes.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from residua.cores import available_cores
from residua.engines.numba import kernels
from residua.engines.numba.kernels.primitives.entries import is_entry, is_kernel
from residua.engines.numba.kernels.primitives.vector import ARM, REGISTERS, WIDTH, X86
from residua.engines.numba.runtime import carried
from residua.engines.numba.runtime.kernel_names import Kernel, name_of
from residua.engines.numba.runtime.processor import NARROW, has_narrow_kernels

HOST = (WIDTH, REGISTERS)  # floats in a vector, and vectors in registers
# Processors without AVX2 are older than most of what they could run: there Numba does it.
USUAL = [(16, 32), (8, 16)] if X86 else [(4, 32)] if ARM else [HOST]


def all_kernels() -> list[Kernel]:
    """Whatever is called from outside, of all modules below `kernels`, by name."""
    found = {}
    for module in pkgutil.walk_packages(kernels.__path__, f"{kernels.__name__}."):
        if module.name.endswith((".front_end", ".vector_type")):
            continue
        for thing in vars(importlib.import_module(module.name)).values():
            if (is_kernel(thing) or is_entry(thing)) and thing.__module__ == module.name:
                found[name_of(thing)] = thing
    return [found[name] for name in sorted(found)]


def carry_here(folder: Path) -> None:
    """Make those for the vectors of this process."""
    functions = all_kernels()
    if not carried.complete(functions, folder):
        carried.write(_lowered(functions), folder)


def _lowered(functions: list[Kernel]) -> Iterator[tuple[Kernel, bytes]]:
    from residua.engines.numba.runtime.lowering import lowered

    for function in functions:
        yield function, lowered(function)


def carry(folder: Path, widths: list[tuple[int, int]]) -> None:
    """Make those for all these widths, each by a process of its own. Raises CalledProcessError."""

    def carry_one(vectors: tuple[int, int]) -> None:
        width, registers = map(str, vectors)
        told = {"RESIDUA_VECTOR_WIDTH": width, "RESIDUA_VECTOR_REGISTERS": registers}
        told |= {"PYTHONHASHSEED": "0"}  # the order of sets must not show
        subprocess.run([sys.executable, "-c", ONE, str(folder)], check=True, env=os.environ | told)

    with ThreadPoolExecutor(available_cores()) as side_by_side:
        list(side_by_side.map(carry_one, widths))


ONE = """
import sys
from pathlib import Path
from residua.engines.numba.carry import carry_here
carry_here(Path(sys.argv[1]))
"""


def main(arguments: list[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m residua.engines.numba.carry")
    parser.add_argument("--host", action="store_true", help="only for the vectors of this machine")
    parser.add_argument("folder", nargs="?", type=Path, default=carried.FOLDER)
    given = parser.parse_args(arguments)
    of_host = [HOST, NARROW] if has_narrow_kernels() else [HOST]
    carry(given.folder, of_host if given.host else USUAL)


if __name__ == "__main__":
    main()
