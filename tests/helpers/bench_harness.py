"""What benchmarks are tested with: a small convolution, and the reference engine on one thread."""

from __future__ import annotations

from residua.bench.harness import Harness
from residua.bench.networks import Convolution
from residua.bench.timing import Limits
from residua.engines.numpy.engine import NumpyEngine

SMALL = Convolution(4, 6, 7, 3, 2, 2)


def harness_with(peer=None, rounds=1):
    return Harness(NumpyEngine(1), Limits(rounds=rounds), peer)
