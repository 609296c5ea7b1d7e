"""residua's side of the benchmarks: a train step, inference and one layer of CIFAR's residual networks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from residua.config import OptimizerOptions
from residua.engines.numba import NumbaEngine
from residua.models.resnet import small_resnet
from residua.training.optimizers import make_optimizer
from residua.training.step import make_step, start_state

RATE, MOMENTUM, DECAY = 0.1, 0.9, 1e-4


def batch(count: int, seed: int = 0, size: int = 32) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    pictures = rng.normal(size=(count, size, size, 3)).astype(np.float32)
    return pictures, rng.integers(0, 10, count)


def our_step(
    engine: NumbaEngine, depth: int, pictures: np.ndarray, labels: np.ndarray
) -> Callable[[], float]:
    """The step that `residua train` takes, its checks for numbers that are not finite included."""
    network = small_resnet(depth=depth)
    options = OptimizerOptions(momentum=MOMENTUM, decay=DECAY)
    step = make_step(network, engine, options)
    state = [start_state(network.init(np.random.default_rng(0)), make_optimizer(options), 0.0)]

    def run() -> float:
        state[0], results = step(state[0], pictures, labels, None, RATE)
        return float(results["loss"])

    return run


def our_inference(engine: NumbaEngine, depth: int, pictures: np.ndarray) -> Callable[[], object]:
    network = small_resnet(depth=depth)
    frozen, variables = network.freeze(network.init(np.random.default_rng(0)))
    compiled = engine.compile(lambda v, x: frozen.infer(engine, v, x))
    return lambda: compiled(variables, pictures)


def our_layer(
    engine: NumbaEngine, x: np.ndarray, dy: np.ndarray, kernel: int, stride: int, want_dx: bool
) -> Callable[[], object]:
    """One convolution forward and backward."""
    shape = (kernel, kernel, x.shape[3], dy.shape[3])
    weight = np.random.default_rng(1).normal(0, 1 / (kernel * x.shape[3] ** 0.5), shape).astype(np.float32)
    options = {"stride": stride, "padding": kernel // 2}

    def work(x: np.ndarray, dy: np.ndarray) -> tuple[object, ...]:
        y, saved = engine.conv2d(x, weight, None, **options)
        dx, dweight, _ = engine.conv2d_backward(dy, weight, saved, **options)
        return (y, dx, dweight) if want_dx else (y, dweight)

    compiled = engine.compile(work)
    return lambda: compiled(x, dy)
