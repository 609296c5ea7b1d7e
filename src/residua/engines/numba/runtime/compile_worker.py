"""The program of the second process that compiles: `compile_helper` starts it.

It reads the kernels to make from its input, a line each, leaves them in the cache, and says on its output
which it begins and which are done.
"""

from __future__ import annotations

import importlib
import sys

from residua.engines.numba.runtime.compile_helper import KERNELS
from residua.engines.numba.runtime.kernel_cache import KernelCache


def main() -> None:
    """The worker's life: a line in, a kernel made, the line out."""
    kernels = KernelCache(say=lambda line: None, helped=False)
    for line in sys.stdin:
        print("begin", line, end="", flush=True)
        module, name, *literals = line.split()
        function = getattr(importlib.import_module(f"{KERNELS}{module}"), name)
        kernels.address(function, tuple(map(int, literals)))
        print("done", line, end="", flush=True)


if __name__ == "__main__":
    main()
