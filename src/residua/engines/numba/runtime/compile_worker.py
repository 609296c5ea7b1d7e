"""The program of another process that compiles: `compile_helper` starts it.

It says on its output that it is ready, reads from its input a kernel to make, leaves it in the cache, and is
ready again.
"""

from __future__ import annotations

import sys

from residua.engines.numba.runtime.kernel_cache import KernelCache
from residua.engines.numba.runtime.kernel_names import from_line


def main() -> None:
    """The worker's life."""
    kernels = KernelCache(say=lambda line: None, helped=False)
    print("ready", flush=True)
    for line in sys.stdin:
        kernels.address(*from_line(line))
        print("ready", flush=True)


if __name__ == "__main__":
    main()
