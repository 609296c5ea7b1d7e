"""A process of its own that trains a few steps: what is measured is the process.

    python -m residua.bench.worker THREADS STEPS ENGINE|LAYOUT

It writes a line once its first step is done, and its peak memory in MiB at the end.
"""

from __future__ import annotations

import sys
from pathlib import Path

from residua.bench import networks
from residua.bench.timing import Workload
from residua.engines import ENGINES, open_engine

NETWORK, BATCH = networks.RESNET20, 128


def train_steps(threads: int, steps: int, side: str) -> None:
    """Train with an engine of residua's, or with PyTorch in a layout."""
    pictures, labels = networks.random_batch(NETWORK, BATCH)
    step: Workload
    if side in ENGINES:
        step = networks.train_step(open_engine(side, threads=threads), NETWORK, pictures, labels)
    else:
        from residua.bench import pytorch

        pytorch.use_threads(threads)
        step = pytorch.train_step(NETWORK, pictures, labels, side)
    for number in range(steps):
        step()
        if number == 0:
            print("the first step is done", flush=True)
    print(peak_memory())


def peak_memory() -> float:
    """The most memory that this process ever had in use, in MiB; not a number where nobody can tell."""
    try:
        # Not getrusage, whose peak counts what the parent had before this program was loaded.
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    try:
        import resource
    except ImportError:
        return float("nan")
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    train_steps(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
