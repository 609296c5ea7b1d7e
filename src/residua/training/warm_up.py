"""Compile what a network needs before it is needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from residua.engines.numba.engine import NumbaEngine
from residua.layers.base import Layer
from residua.layers.shapes import Shape
from residua.variables import flatten


def warm(network: Layer, shape: Shape, engine: NumbaEngine | None = None) -> int:
    """Make sure that all kernels for training and using `network` on pictures of `shape` (H, W, C) are there.

    Returns how many had to be compiled; 0 where the cache held all of them. Kernels do not depend on the
    batch's size, so two random pictures are enough.
    """
    engine = NumbaEngine() if engine is None else engine
    before = engine.context.kernels.compiled
    rng = np.random.default_rng(0)
    variables = network.init(rng)
    pictures = rng.random((2, *shape), np.float32)

    def train(pictures: Any) -> Any:
        logits, saved, stats = network.forward(engine, variables, pictures)
        _, dlogits = engine.softmax_cross_entropy(logits, np.zeros(2, np.int64))
        _, grads = network.backward(engine, variables, saved, dlogits)
        slopes = list(flatten(grads).values())
        weights = [flatten(variables)[path] for path in flatten(grads)]
        # What a step does besides: its checks, and the usual optimiser.
        engine.norm(slopes), engine.finite(slopes)
        options: dict[str, Any] = {"momentum": 0.9, "nesterov": False, "decoupled": False}
        engine.sgd(weights, slopes, slopes, 0.1, decays=[0.0] * len(slopes), **options)
        return grads, stats

    engine.compile(train)(pictures)
    frozen, frozen_variables = network.freeze(variables)
    engine.compile(lambda x: engine.softmax(frozen.infer(engine, frozen_variables, x)))(pictures)
    corners = {name: np.zeros(2, np.int64) for name in ("indices", "down", "right")}
    pixels, ones = np.zeros((1, *shape), np.uint8), np.ones(shape[2], np.float32)
    engine.crop_and_flip(
        pixels, **corners, mirrored=np.zeros(2, np.bool_), size=(shape[0], shape[1]), scale=ones, shift=ones
    )
    return engine.context.kernels.compiled - before
