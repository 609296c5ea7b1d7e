"""residua's fast engine against PyTorch (channels_last), in turn: python benchmarks/train_step.py --help"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch
from torch import nn

import networks
from race import Result, race, report
from residua.engines.numba import NumbaEngine
from residua.models.resnet import small_resnet


def training(engine: NumbaEngine, depth: int, count: int, rounds: int) -> Result:
    pictures, labels = networks.batch(count)
    work = 6 * count * small_resnet(depth=depth).multiply_adds((32, 32, 3))
    return race(
        f"ResNet-{depth} train step, batch {count}",
        networks.our_step(engine, depth, pictures, labels),
        networks.torch_step(depth, pictures, labels),
        rounds,
        flops=work,
    )


def inference(engine: NumbaEngine, depth: int, count: int, rounds: int) -> Result:
    pictures, _ = networks.batch(count)
    work = 2 * count * small_resnet(depth=depth).multiply_adds((32, 32, 3))
    return race(
        f"ResNet-{depth} inference, batch {count}",
        networks.our_inference(engine, depth, pictures),
        networks.torch_inference(depth, pictures),
        rounds,
        repeats=3 if count > 8 else 30,
        flops=work,
    )


def layer(
    engine: NumbaEngine, c: int, k: int, size: int, kernel: int, stride: int, rounds: int, count: int = 128
) -> Result:
    """One convolution forward and backward, all gradients but the pictures' own where c is 3."""
    padding = kernel // 2
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, size, size, c)).astype(np.float32)
    weight = rng.normal(size=(kernel, kernel, c, k)).astype(np.float32) / (kernel * c**0.5)
    out = (size + 2 * padding - kernel) // stride + 1
    dy = rng.normal(size=(count, out, out, k)).astype(np.float32)
    options = {"stride": stride, "padding": padding}

    def work(x: np.ndarray, dy: np.ndarray) -> tuple:
        y, saved = engine.conv2d(x, weight, None, **options)
        dx, dweight, _ = engine.conv2d_backward(dy, weight, saved, **options)
        return (y, dweight) if c == 3 else (y, dx, dweight)

    ours = engine.compile(work)
    conv = nn.Conv2d(c, k, kernel, stride, padding, bias=False).to(memory_format=torch.channels_last)
    layout = {"memory_format": torch.channels_last}
    tx = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous(**layout).requires_grad_(c != 3)
    tdy = torch.from_numpy(dy).permute(0, 3, 1, 2).contiguous(**layout)

    def theirs() -> None:
        conv.weight.grad = tx.grad = None
        conv(tx).backward(tdy)

    passes = 4 if c == 3 else 6
    flops = passes * count * out * out * kernel * kernel * c * k
    name = f"{kernel}x{kernel} stride {stride}, {c} to {k} at {size}"
    return race(name, lambda: ours(x, dy), theirs, rounds, flops=flops)


def cases(engine: NumbaEngine, rounds: int) -> dict[str, Callable[[], Iterator[Result]]]:
    def main() -> Iterator[Result]:
        yield training(engine, 20, 128, rounds)

    def batches() -> Iterator[Result]:
        for count in (32, 100, 127):
            yield training(engine, 20, count, rounds)

    def deep() -> Iterator[Result]:
        yield training(engine, 56, 128, max(2, rounds // 2))

    def infer() -> Iterator[Result]:
        yield inference(engine, 20, 128, rounds)
        yield inference(engine, 20, 1, rounds)

    def layers() -> Iterator[Result]:
        yield layer(engine, 3, 16, 32, 3, 1, rounds)
        yield layer(engine, 16, 32, 32, 3, 2, rounds)
        yield layer(engine, 32, 64, 16, 3, 2, rounds)
        yield layer(engine, 64, 64, 8, 1, 1, rounds)
        yield layer(engine, 16, 32, 32, 1, 2, rounds)
        yield layer(engine, 3, 64, 64, 7, 2, rounds, count=32)
        yield layer(engine, 128, 128, 16, 3, 1, rounds, count=32)
        yield layer(engine, 256, 256, 8, 3, 1, rounds, count=32)

    return {"main": main, "batches": batches, "deep": deep, "inference": infer, "layers": layers}


def run() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--cases", nargs="+", default=["main"], help="main batches deep inference layers")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    engine = NumbaEngine(chosen.threads)
    known = cases(engine, chosen.rounds)
    results = [result for name in chosen.cases for result in known[name]()]
    report(results, chosen.threads, chosen.json)


if __name__ == "__main__":
    run()
