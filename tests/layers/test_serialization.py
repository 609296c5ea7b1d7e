"""Networks as plain data and back."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import numpy as np
import pytest

from residua.config import ModelOptions
from residua.errors import ModelFileError
from residua.layers import (
    LAYERS,
    BatchNorm2d,
    Conv2d,
    ConvNorm,
    Dropout,
    Layer,
    Linear,
    ReLU,
    Residual,
    Sequential,
)
from residua.layers.serialization import build, describe
from residua.models import MODELS, build_model
from residua.models.architectures.small_resnet import small_resnet


@pytest.mark.parametrize("name", MODELS)
def test_models_survive(name):
    network = build_model(ModelOptions(model=name), channels=3, classes=10, size=(64, 64))
    text = json.dumps(describe(network))
    again = build(json.loads(text))
    assert again == network
    assert json.dumps(describe(again)) == text


def test_frozen_networks_survive():
    network = small_resnet(depth=8, width=4, shortcut="B", hidden=(5,), dropout=0.2)
    frozen, _ = network.freeze(network.init(np.random.default_rng(0)))
    assert build(json.loads(json.dumps(describe(frozen)))) == frozen


@pytest.mark.parametrize("layers", [{}, {"layer": ReLU()}, {"layer": Linear(2, 2), "layers": Sequential()}])
def test_any_name_may_be_used_in_a_container(layers):
    network = Residual(Sequential(layers), None)
    assert build(describe(network)) == network


def test_order_of_layers_is_kept():
    network = Sequential({"z": ReLU(), "a": ReLU(), "m": Dropout(0.1)})
    assert list(build(json.loads(json.dumps(describe(network)))).layers) == ["z", "a", "m"]


@dataclass(frozen=True)
class Mine(Layer):
    """A layer of a user's own."""

    slope: float = -0.1
    inner: Layer = field(default_factory=ReLU)


def test_layers_of_ones_own_are_passed():
    network = Sequential({"mine": Mine(-0.5, Conv2d(1, 2))})
    with pytest.raises(ModelFileError, match=r"layer 'Mine' .* are passed as `layers`"):
        build(describe(network))
    assert build(describe(network), {**LAYERS, "Mine": Mine}) == network


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"layer": "RelU"}, "layer 'RelU' .*Did you mean 'ReLU'"),
        ({"layer": "os.system", "command": "true"}, "layer 'os.system'"),
        ({"layer": "Dropout", "share": 0.5}, "share"),
        ({"layer": "Linear", "in_features": 3}, "out_features"),
        ({"rate": 0.5}, "cannot be read: 'layer'"),
        ({"layer": ["ReLU"]}, "cannot be read"),
        ({"layer": "Linear", "in_features": "3", "out_features": 2}, "Linear.in_features cannot be '3'"),
        ({"layer": "Linear", "in_features": 3.0, "out_features": 2}, "Linear.in_features cannot be 3.0"),
        ({"layer": "Linear", "in_features": True, "out_features": 2}, "Linear.in_features cannot be True"),
        ({"layer": "Dropout", "rate": None}, "Dropout.rate cannot be None"),
        ({"layer": "ReLU", "inner": 1}, "cannot be read"),
        ({"layer": "Sequential", "layers": {"a": 3}}, "cannot be read"),
        ({"layer": "Sequential", "layers": {"a": {"layer": "Relu"}}}, "layer 'Relu'"),
        (None, "cannot be read"),
        ("ReLU", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(description, message):
    with pytest.raises(ModelFileError, match=message) as caught:
        build(description)
    assert "\n" not in str(caught.value)


def test_a_welded_convolution_has_no_bias_of_its_own():
    with pytest.raises(ValueError, match="without bias and relu"):
        ConvNorm(Conv2d(1, 2, bias=True))
    description = describe(ConvNorm(Conv2d(1, 2)))
    description["conv"]["bias"] = True
    with pytest.raises(ModelFileError, match="without bias and relu"):
        build(description)


@pytest.mark.parametrize(
    "description",
    [
        {"layer": "Conv2d", "in_channels": 3, "out_channels": 4, "stride": 0},
        {"layer": "Conv2d", "in_channels": -3, "out_channels": 4},
        {"layer": "MaxPool2d", "padding": -1},
        {"layer": "Dropout", "rate": 1.5},
    ],
)
def test_sizes_that_are_not_possible_are_refused(description):
    with pytest.raises(ModelFileError, match=r"takes"):
        build(description)


def test_fields_added_later_are_named_where_they_are_set():
    """A model without them is described as before they were there, and older versions can read it."""
    assert "scale" not in describe(BatchNorm2d(4))
    assert "fixed" not in describe(Conv2d(3, 4))
    unscaled = BatchNorm2d(4, scale=False)
    assert describe(unscaled)["scale"] is False
    assert "shift" not in describe(unscaled)
    assert build(describe(unscaled)) == unscaled
