"""residua's side of an epoch of CIFAR-10: what `residua train cifar10` does in its steps, from `Batches`.

python -m residua.bench.pipelines.residua_cifar PIXELS LABELS STEPS THREADS ENGINE
"""

from __future__ import annotations

import sys
import time

import numpy as np

from residua.bench import data_loading, networks
from residua.data import Pictures
from residua.engines import open_engine

BATCH = 128


def main(pixels: str, labels: str, steps: int, threads: int, engine: str) -> None:
    """One epoch, or its first steps."""
    images, targets = np.load(pixels), np.load(labels)
    pictures = Pictures(images, targets, range(len(targets)))  # type: ignore[arg-type]  # nobody asks for names
    step = data_loading.train_step(open_engine(engine, threads=threads), networks.RESNET20, pictures, BATCH)
    began = time.perf_counter()
    for _ in range(steps):
        step()
    print(f"inside {time.perf_counter() - began}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
