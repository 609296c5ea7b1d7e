"""residua's fast engine against PyTorch (channels_last), in turn in one process.

    python benchmarks/train_step.py [--threads 2] [--rounds 10] [--cases main batches ...] [--json FILE]

Without PyTorch residua's times alone are shown.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

# BLAS threads that spin after their call would steal the other side's cores.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import networks
from race import Clock, Result, race, report
from residua.engines.numba import NumbaEngine
from residua.models.resnet import small_resnet

PEER = importlib.util.find_spec("torch") is not None
if PEER:
    import torch

    import peer

# channels, filters, size, kernel, stride, batch
LAYERS = [
    (3, 16, 32, 3, 1, 128),
    (16, 32, 32, 3, 2, 128),
    (32, 64, 16, 3, 2, 128),
    (64, 64, 8, 1, 1, 128),
    (16, 32, 32, 1, 2, 128),
    (64, 256, 56, 1, 1, 8),
    (3, 64, 224, 7, 2, 8),
    (64, 64, 56, 3, 1, 8),
    (128, 128, 16, 3, 1, 64),
    (256, 256, 8, 3, 1, 64),
    (128, 256, 8, 3, 2, 64),
    (512, 512, 4, 3, 1, 64),
]


def training(engine: NumbaEngine, depth: int, count: int, rounds: int) -> Result:
    """One step: forward, backward, update."""
    pictures, labels = networks.batch(count)
    return race(
        f"ResNet-{depth} train step, batch {count}",
        6 * count * small_resnet(depth=depth).multiply_adds((32, 32, 3)),
        networks.our_step(engine, depth, pictures, labels),
        peer.torch_step(depth, pictures, labels) if PEER else None,
        rounds,
    )


def inference(engine: NumbaEngine, depth: int, count: int, rounds: int) -> Result:
    """Logits of one batch."""
    pictures, _ = networks.batch(count)
    return race(
        f"ResNet-{depth} inference, batch {count}",
        2 * count * small_resnet(depth=depth).multiply_adds((32, 32, 3)),
        networks.our_inference(engine, depth, pictures),
        peer.torch_inference(depth, pictures) if PEER else None,
        rounds,
        repeats=3 if count > 8 else 30,
    )


def layer(
    engine: NumbaEngine, c: int, k: int, size: int, kernel: int, stride: int, count: int, rounds: int
) -> Result:
    """One convolution forward and backward; the gradient by pictures of 3 channels is nobody's need."""
    rng = np.random.default_rng(0)
    out = (size + 2 * (kernel // 2) - kernel) // stride + 1
    x = rng.normal(size=(count, size, size, c)).astype(np.float32)
    dy = rng.normal(size=(count, out, out, k)).astype(np.float32)
    return race(
        f"{kernel}x{kernel} stride {stride}, {c} to {k} channels at {size}, batch {count}",
        (4 if c == 3 else 6) * count * out * out * kernel * kernel * c * k,
        networks.our_layer(engine, x, dy, kernel, stride, c != 3),
        peer.torch_layer(x, dy, kernel, stride, c != 3) if PEER else None,
        rounds,
    )


def cases(engine: NumbaEngine, rounds: int) -> dict[str, Callable[[], Iterator[Result]]]:
    """What --cases may name."""
    return {
        "main": lambda: iter([training(engine, 20, 128, rounds)]),
        "batches": lambda: (training(engine, 20, count, rounds) for count in (32, 100, 127)),
        "deep": lambda: iter([training(engine, 56, 128, max(2, rounds // 2))]),
        "inference": lambda: (inference(engine, 20, count, rounds) for count in (128, 1)),
        "layers": lambda: (layer(engine, *shape, rounds) for shape in LAYERS),
    }


def run() -> None:
    """Parse, race, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--cases", nargs="+", default=["main"], help="main batches deep inference layers")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--processor-time", action="store_true", help="for busy machines, with --threads 1")
    chosen = parser.parse_args()
    if chosen.processor_time:
        Clock.now = time.process_time
    if PEER:
        torch.set_num_threads(chosen.threads)
    engine = NumbaEngine(chosen.threads)
    known = cases(engine, chosen.rounds)
    results = [result for name in chosen.cases for result in known[name]()]
    report(results, chosen.threads, chosen.json)


if __name__ == "__main__":
    run()
