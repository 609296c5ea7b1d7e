"""Every layer keeps the contract."""

from __future__ import annotations

import numpy as np
import pytest

from residua.errors import ShapeError
from residua.layers import (
    LAYERS,
    AveragePool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    ConvNorm,
    Dropout,
    Flatten,
    GlobalAveragePool,
    Identity,
    Linear,
    MaxPool2d,
    ReLU,
    Residual,
    ScaleShift,
    Sequential,
    SubsamplePad,
)
from residua.models.resnet import small_resnet
from residua.testing import check_layer
from residua.variables import merge


def _block(before, after, stride, shortcut):
    first, second = ConvNorm(Conv2d(before, after, stride=stride)), ConvNorm(Conv2d(after, after), relu=False)
    return Residual(Sequential({"conv1": first, "conv2": second}), shortcut)


CASES = {
    "AveragePool2d": [
        (AveragePool2d(), (2, 6, 4, 3)),
        (AveragePool2d(3, 2, 1), (2, 7, 5, 2)),
        (AveragePool2d(2, 3), (1, 8, 7, 1)),
    ],
    "BatchNorm1d": [(BatchNorm1d(3), (5, 3)), (BatchNorm1d(1, momentum=0.5, eps=1e-2), (2, 1))],
    "BatchNorm2d": [
        (BatchNorm2d(3), (3, 5, 4, 3)),
        (BatchNorm2d(2, momentum=1.0, eps=1e-3), (1, 3, 3, 2)),
        (BatchNorm2d(4), (5, 1, 1, 4)),
    ],
    "Conv2d": [
        (Conv2d(3, 4), (2, 5, 4, 3)),
        (Conv2d(1, 2, 1, 1, 0, bias=True), (3, 1, 1, 1)),
        (Conv2d(2, 3, 5, 2, 2, bias=True), (2, 7, 6, 2)),
        (Conv2d(2, 3, 2, 3, 1), (1, 8, 5, 2)),
        (Conv2d(3, 2, 3, 1, 0, bias=True, relu=True), (2, 4, 5, 3)),
        (Conv2d(2, 2, 3, 1, 3), (1, 3, 2, 2)),
    ],
    "ConvNorm": [
        (ConvNorm(Conv2d(2, 3)), (2, 5, 4, 2)),
        (ConvNorm(Conv2d(3, 4, 1, 2, 0), relu=False), (3, 5, 5, 3)),
        (ConvNorm(Conv2d(1, 2, 5, 1, 2), momentum=0.3, eps=1e-3), (2, 6, 5, 1)),
    ],
    "Dropout": [(Dropout(0.4), (3, 7)), (Dropout(0.1), (2, 3, 4, 2)), (Dropout(0.0), (2, 3))],
    "Flatten": [(Flatten(), (2, 3, 4, 2)), (Flatten(), (3, 5))],
    "GlobalAveragePool": [(GlobalAveragePool(), (2, 3, 4, 5)), (GlobalAveragePool(), (1, 1, 1, 2))],
    "Identity": [(Identity(), (2, 3, 3, 2)), (Identity(), (2, 5))],
    "Linear": [(Linear(5, 3), (4, 5)), (Linear(4, 1, bias=False, gain=2.0), (1, 4))],
    "MaxPool2d": [
        (MaxPool2d(), (2, 6, 4, 3)),
        (MaxPool2d(3, 2, 1), (2, 7, 6, 2)),
        (MaxPool2d(3, 1, 1), (1, 4, 5, 2)),
        (MaxPool2d(2, 3), (2, 8, 7, 1)),
    ],
    "ReLU": [(ReLU(), (3, 5, 4, 2)), (ReLU(), (4, 6))],
    "Residual": [
        (_block(3, 3, 1, Identity()), (2, 5, 4, 3)),
        (_block(2, 5, 2, SubsamplePad(2, 5)), (2, 5, 5, 2)),
        (_block(2, 4, 2, ConvNorm(Conv2d(2, 4, 1, 2, 0), relu=False)), (3, 5, 4, 2)),
        (_block(2, 2, 1, None), (3, 4, 4, 2)),
    ],
    "ScaleShift": [(ScaleShift(3), (2, 3, 4, 3)), (ScaleShift(2, relu=True), (5, 2))],
    "Sequential": [
        (Sequential(), (2, 3)),
        (Sequential({"norm": BatchNorm2d(2), "relu": ReLU(), "flat": Flatten()}), (3, 3, 2, 2)),
        (Sequential({"drop": Dropout(0.3), "layer": Linear(4, 3), "norm": BatchNorm1d(3)}), (5, 4)),
    ],
    "SubsamplePad": [(SubsamplePad(2, 5), (2, 5, 4, 2)), (SubsamplePad(3, 4, 3), (1, 7, 6, 3))],
}


@pytest.mark.parametrize("name", LAYERS)
def test_contract(name):
    """Driven by the table: a layer without a case fails."""
    for layer, shape in CASES[name]:
        assert type(layer) is LAYERS[name]
        check_layer(layer, shape)


@pytest.mark.parametrize(
    "options",
    [
        {"shortcut": "A"},
        {"shortcut": "B"},
        {"shortcut": None},
        {"shortcut": "A", "hidden": (6, 5)},
        {"shortcut": "B", "dropout": 0.3, "hidden": (5,)},
    ],
    ids=str,
)
def test_contract_of_networks(options):
    """Odd sizes: both strides round."""
    check_layer(small_resnet(depth=8, width=4, **options), (3, 15, 13, 3), tolerance=2e-6)


def test_given_pictures_and_variables(rng):
    layer = Linear(3, 2)
    check_layer(layer, rng.normal(size=(4, 3)), variables=layer.init(rng))


def test_dropout_draws_anew_each_step_and_keeps_the_mean(engine):
    layer, x = Dropout(0.3), np.ones((200, 100))
    v = layer.init(np.random.default_rng(1))
    first, _, stats = layer.forward(engine, v, x)
    second, _, _ = layer.forward(engine, merge(v, stats), x)
    assert abs(first.mean() - 1) < 0.02
    assert abs((first == 0).mean() - 0.3) < 0.02
    # Two independent masks agree in 0.3² + 0.7² of the places.
    assert abs((first == second).mean() - 0.58) < 0.02
    assert np.array_equal(layer.forward(engine, v, x)[0], first)


@pytest.mark.parametrize(
    ("layer", "shape", "needed"),
    [
        (Conv2d(3, 4), (8, 8, 1), "pictures (H, W, 3)"),
        (Conv2d(3, 4), (8, 8), "pictures (H, W, 3)"),
        (Conv2d(3, 4, 7, 1, 0), (8, 6, 3), "at least 7 pixels"),
        (BatchNorm2d(3), (4, 4, 2), "pictures (H, W, 3)"),
        (BatchNorm1d(3), (4, 4, 3), "features (3,)"),
        (ScaleShift(3), (2,), "3 channels"),
        (Linear(3, 2), (4,), "features (3,)"),
        (MaxPool2d(3, 1), (2, 5, 1), "at least 3 pixels"),
        (AveragePool2d(), (8,), "pictures (H, W, C)"),
        (GlobalAveragePool(), (8,), "pictures (H, W, C)"),
        (SubsamplePad(2, 4), (4, 4, 3), "pictures (H, W, 2)"),
        (Residual(Conv2d(2, 3)), (4, 4, 2), "body and shortcut of one shape"),
    ],
    ids=str,
)
def test_shapes_that_do_not_fit(layer, shape, needed):
    """The message says what takes it, what it needs and what came."""
    with pytest.raises(ShapeError) as caught:
        layer.output_shape(shape)
    message = str(caught.value)
    assert type(layer).__name__ in message
    assert needed in message
    assert f"given {shape}" in message


def test_a_shape_error_names_the_layer_by_path():
    inner = Sequential({"conv": Conv2d(2, 2), "head": Linear(3, 2)})
    network = Sequential({"stem": Identity(), "block": Residual(inner)})
    with pytest.raises(ShapeError, match=r"^block\.body\.head: Linear needs features \(3,\)") as caught:
        network.output_shape((4, 4, 2))
    assert caught.value.place == "block.body.head"
    with pytest.raises(ShapeError, match=r"^shortcut: Conv2d"):
        Residual(Identity(), Conv2d(5, 5)).output_shape((4, 4, 2))


def test_multiply_adds_of_layers():
    assert Conv2d(3, 4, 3, 2, 1).multiply_adds((7, 5, 3)) == 4 * 3 * 4 * 27
    assert Linear(5, 3).multiply_adds((5,)) == 15
    assert ConvNorm(Conv2d(3, 4, 1, 1, 0)).multiply_adds((2, 2, 3)) == 48
    assert ReLU().multiply_adds((2, 2, 3)) == 0
