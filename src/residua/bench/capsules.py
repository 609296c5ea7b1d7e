"""A train step of CapsNet on handwritten digits, as `residua train --model capsnet` takes it."""

from __future__ import annotations

import numpy as np

from residua.bench.networks import Labels, Pictures, TrainStepper
from residua.bench.timing import Workload
from residua.config import OptimizerOptions
from residua.engines import Engine
from residua.layers import Layer
from residua.variables import Tree

BATCH = 128
SHAPE = (28, 28, 1)
# The paper takes Adam as its program has it; so small a rate that random pictures teach nothing.
OPTIONS = OptimizerOptions(optimizer="adam", rate=1e-5, decay=0.0)


def random_digits(count: int) -> tuple[Pictures, Labels]:
    """Pixels from 0 to 1, (count, 28, 28, 1), and labels of no meaning."""
    rng = np.random.default_rng(0)
    return rng.random((count, *SHAPE), np.float32), rng.integers(0, 10, count)


def train_step(
    engine: Engine, network: Layer, variables: Tree, pictures: Pictures, labels: Labels
) -> Workload:
    """One step on one batch that lies ready."""
    take = TrainStepper(engine, network, OPTIONS, variables)
    return lambda: take(pictures, labels, OPTIONS.rate or 0.0)
