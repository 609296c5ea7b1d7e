"""Hooks see what passes between layers and change nothing."""

from __future__ import annotations

import numpy as np

from residua.config import ModelOptions
from residua.engines.numpy.engine import NumpyEngine
from residua.layers import Conv2d, ConvNorm, Linear, ReLU
from residua.layers.hooks import ends_in_relu, with_hooks
from residua.models import build_model
from residua.variables import flatten


def test_results_and_gradients_pass_unchanged(rng):
    engine, network = (
        NumpyEngine(),
        build_model(ModelOptions(model="resnet8", width=4), channels=3, classes=2),
    )
    v, x = network.init(rng), rng.standard_normal((2, 8, 8, 3)).astype(np.float32)
    forward, backward = {}, {}
    hooked = with_hooks(
        network,
        lambda name, layer, y: forward.update({name: y.shape}),
        lambda name, layer: name in ("stage2", "stage2.0.body.conv1", "head"),
        backward_hook=lambda name, layer, dy: backward.update({name: dy.shape}),
    )
    y, saved, stats = network.forward(engine, v, x)
    hooked_y, hooked_saved, hooked_stats = hooked.forward(engine, v, x)
    assert np.array_equal(y, hooked_y)
    assert list(forward) == ["stage2.0.body.conv1", "stage2", "head"]
    assert forward["stage2"] == (2, 4, 4, 8)
    dx, grads = network.backward(engine, v, saved, y)
    hooked_dx, hooked_grads = hooked.backward(engine, v, hooked_saved, y)
    assert np.array_equal(dx, hooked_dx)
    assert backward == forward
    for tree, other in ((grads, hooked_grads), (stats, hooked_stats)):
        pairs = zip(flatten(tree).items(), flatten(other).items(), strict=True)
        assert all(a == b and np.array_equal(c, d) for (a, c), (b, d) in pairs)


def test_layers_that_end_in_a_relu():
    assert ends_in_relu(ReLU())
    assert ends_in_relu(ConvNorm(Conv2d(3, 4)))
    assert not ends_in_relu(ConvNorm(Conv2d(3, 4), relu=False))
    assert not ends_in_relu(Linear(3, 2))
