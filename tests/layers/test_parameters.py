"""First weights, and gradients by name."""

from __future__ import annotations

import numpy as np

from residua.layers import Conv2d, Linear
from residua.layers.parameters import ZeroGenerator, normal_weight, weight_and_bias, weight_and_bias_grads


def test_weights_have_the_deviation_of_their_fan_in(rng):
    weight = normal_weight(rng, (400, 500), fan_in=400, gain=1.0)
    assert weight.dtype == np.float32
    assert abs(weight.std() - 0.05) < 0.001
    assert abs(weight.mean()) < 0.001


def test_a_bias_is_there_where_it_is_wanted(rng):
    assert list(weight_and_bias(rng, (2, 3), 2, bias=0)) == ["weight"]
    v = weight_and_bias(rng, (2, 3), 2, bias=3)
    assert not v["bias"].any()
    assert list(weight_and_bias_grads(v, "dweight", "dbias").items()) == [
        ("weight", "dweight"),
        ("bias", "dbias"),
    ]
    assert weight_and_bias_grads({"weight": v["weight"]}, "dweight", "dbias") == {"weight": "dweight"}


def test_zeros_have_the_shapes_of_drawn_weights(rng):
    for layer in (Conv2d(3, 4, bias=True), Linear(5, 6)):
        drawn, zeros = layer.init(rng), layer.init(ZeroGenerator())
        assert {name: array.shape for name, array in zeros.items()} == {
            name: array.shape for name, array in drawn.items()
        }
        assert not any(array.any() for array in zeros.values())
