"""Every layer on the fast engine, reading values that are not finished yet, against the reference."""

from __future__ import annotations

from math import prod

import numpy as np
import pytest

pytest.importorskip("numba")

from layer_cases import CASES

from residua.engines.numba import NumbaEngine
from residua.engines.numpy.engine import NumpyEngine
from residua.layers import LAYERS, BatchNorm1d, Conv2d, ConvNorm, Linear, Reshape, Sequential
from residua.testing.arrays import cast, distance
from residua.variables import flatten

ALL = [(name, number) for name in LAYERS for number in range(len(CASES[name]))]


@pytest.fixture(scope="module")
def fast():
    return NumbaEngine(1)


def passes(engine, network, v, x, dy):
    def work(v, x, dy):
        y, saved, stats = network.forward(engine, v, x)
        dx, grads = network.backward(engine, v, saved, dy)
        return {"y": y, "dx": dx} | flatten(grads) | flatten(stats)

    def infer(v, x):
        return {"inferred": frozen.infer(engine, v, x)}

    frozen, frozen_v = network.freeze(v)
    return engine.compile(work)(v, x, dy) | engine.compile(infer)(frozen_v, x)


@pytest.mark.sample(1, by="name")
@pytest.mark.parametrize(("name", "number"), ALL)
def test_layer_follows_the_reference(fast, name, number):
    """Before it a convolution with normalisation, whose result waits for its reader."""
    rng = np.random.default_rng(number)
    layer, (_, *shape) = CASES[name][number]
    channels = shape[-1]
    given = (*shape[:-1], 5) if len(shape) == 3 else (5,)
    if len(shape) == 3:
        before = ConvNorm(Conv2d(5, channels))
    else:
        count = prod(shape)
        before = Sequential({"linear": Linear(5, count), "norm": BatchNorm1d(count)})
        if len(shape) > 1:
            before = Sequential({"features": before, "shape": Reshape(tuple(shape))})
    network = Sequential({"before": before, "layer": layer})
    v = network.init(rng)
    x = rng.normal(size=(6, *given)).astype(np.float32)
    after = network.output_shape(given)
    dy = rng.normal(size=(6, *after)).astype(np.float32)
    got = passes(fast, network, v, x, dy)
    wanted = passes(NumpyEngine(), network, cast(v, np.float64), x.astype(np.float64), dy.astype(np.float64))
    assert got.keys() == wanted.keys()
    for part, value in wanted.items():
        assert distance(got[part], value, floor=0.1) < 1e-4, part
