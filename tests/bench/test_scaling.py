"""One thread against two."""

from __future__ import annotations

from bench_harness import harness_with

from residua.bench import (
    scaling,
)
from residua.bench.networks import TINY


class Stand:
    """In PyTorch's place; remembers how many threads it was told to use."""

    LAYOUTS = ("one", "other")

    def __init__(self):
        self.threads = []

    def use_threads(self, threads):
        self.threads.append(threads)

    def with_threads(self, threads, turn):
        return lambda: (self.use_threads(threads), turn())

    def train_step(self, network, pictures, labels, layout):
        return lambda: None


def test_scaling_compares_one_thread_with_two():
    peer = Stand()
    ours, theirs = (result.row() for result in scaling.measure(harness_with(peer), TINY, 8))
    assert ours["ratio_of"] == theirs["ratio_of"] == "1 thread / 2 threads"
    assert (ours["to_reach"], theirs.get("to_reach")) == (">= 1.7", None)
    assert theirs["work"].startswith("ResNet-8 of width 4 train step, batch 8: PyTorch o")
    assert (peer.threads[0], set(peer.threads), peer.threads[-1]) == (2, {1, 2}, 1)
