"""Every layer keeps the contract."""

from __future__ import annotations

import numpy as np
import pytest
from layer_cases import CASES
from tiers import draw

from residua.errors import ShapeError
from residua.layers import (
    LAYERS,
    Add,
    AveragePool2d,
    BatchNorm1d,
    BatchNorm2d,
    CapsuleNetwork,
    Concatenate,
    Conv2d,
    ConvNorm,
    DepthwiseConv2d,
    DigitCapsules,
    Dropout,
    Dropout2d,
    Ensemble,
    GlobalAveragePool,
    GroupedConv2d,
    Identity,
    Lengths,
    Linear,
    MaxPool2d,
    NearestUpsample2d,
    Parallel,
    PrimaryCapsules,
    ReflectionPad2d,
    ReLU,
    Reshape,
    Residual,
    ScaleShift,
    Sequential,
    SubsamplePad,
    TransposedConv2d,
    ZeroPad2d,
)
from residua.models.architectures.small_resnet import small_resnet
from residua.testing import check_layer
from residua.variables import count_parameters, merge


@pytest.mark.parametrize("name", LAYERS)
def test_contract(name):
    """Driven by the table: a layer without a case fails."""
    for layer, shape in draw(CASES[name], 2):
        assert type(layer) is LAYERS[name]
        check_layer(layer, shape)


@pytest.mark.sample(1)
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
        (AveragePool2d(2, 2, 2, count_padding=False), (4, 4, 2), "padding of at most half its kernel"),
        (Dropout2d(), (8,), "pictures (H, W, C)"),
        (ZeroPad2d(), (8,), "pictures (H, W, C)"),
        (ReflectionPad2d(2, 0, 0, 0), (2, 5, 1), "more than 2 rows and 0 columns"),
        (NearestUpsample2d(), (8,), "pictures (H, W, C)"),
        (TransposedConv2d(3, 4), (8, 8, 1), "pictures (H, W, 3)"),
        (TransposedConv2d(3, 4, 3, 1, 2), (2, 2, 3), "larger pictures"),
        (Reshape((3, 4)), (5,), "12 numbers"),
        (Concatenate({"a": Identity(), "b": MaxPool2d()}), (4, 4, 2), "a (4, 4, 2), b (2, 2, 2)"),
        (Add({"a": Identity(), "b": Conv2d(2, 3)}), (4, 4, 2), "a (4, 4, 2), b (4, 4, 3)"),
        (Parallel({"a": Identity(), "b": Identity()}, 4), (4, 4, 3), "4 channels"),
        (PrimaryCapsules(2, 1, 2, 5), (4, 6, 2), "at least 5 pixels"),
        (DigitCapsules(4, 2), (2, 4), "capsules (4, 2)"),
        (Lengths(), (5,), "capsules (count, dimension)"),
        (Ensemble({"a": Linear(4, 3), "b": Linear(4, 2)}), (4,), "(a (3,), b (2,))"),
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


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: TransposedConv2d(2, 3, 3, 1, 3), r"padding takes at most 2 here; it was given 3"),
        (lambda: TransposedConv2d(2, 3, extra=1), r"extra takes at most 0 here; it was given 1"),
        (lambda: TransposedConv2d(2, 3, extra=-1), r"extra takes 0 or more"),
        (lambda: GroupedConv2d(3, 4), r"in_channels takes a multiple of the 2 groups; it was given 3"),
        (lambda: GroupedConv2d(4, 3), r"out_channels takes a multiple of the 2 groups"),
        (lambda: DepthwiseConv2d(0), r"channels takes 1 or more"),
        (lambda: ZeroPad2d(above=-1), r"above takes 0 or more"),
        (lambda: Reshape(()), r"whole numbers of 1 or more; it was given \(\)"),
        (lambda: Reshape([2, 0]), r"whole numbers of 1 or more; it was given \(2, 0\)"),
        (lambda: Concatenate(), r"Concatenate takes one or more branches"),
        (lambda: Parallel({"a": Identity(), "b": Identity()}, 3), r"a multiple of its 2 branches"),
        (lambda: Dropout2d(1.0), r"from 0 to below 1"),
        (lambda: DigitCapsules(3, routings=0), r"DigitCapsules.routings takes 1 or more"),
        (lambda: CapsuleNetwork({"decoder": Identity()}), r"cannot hold the name 'decoder'"),
        (lambda: Ensemble({}), r"one or more members"),
        (lambda: Ensemble({"a": Identity()}, "best"), r"one of mean, weighted, vote; it was given 'best'"),
        (lambda: Ensemble({"a": Identity()}, "weighted", (0.5,)), r"1 numbers from 0 to 1 that sum to 1"),
        (lambda: Ensemble({"a": Identity()}, "mean", (), ((1.0,),)), r"a row for each of 1 members"),
        (lambda: Ensemble({"a": Identity()}, "mean", (), ((1.0,),), ((float("nan"),),)), r"a finite number"),
        (lambda: ConvNorm(Conv2d(2, 2, bias=True)), r"without bias and relu"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_branch_that_does_not_fit_is_named_when_fed(engine):
    network = Sequential({"fire": Concatenate({"a": Identity(), "b": Conv2d(3, 1)})})
    v = network.init(np.random.default_rng(0))
    for run in (network.forward, network.infer):
        with pytest.raises(ShapeError, match=r"^fire\.b: .*3 channels"):
            run(engine, v, np.zeros((1, 4, 4, 2)))
    network = Concatenate({"a": Identity(), "b": MaxPool2d()})
    with pytest.raises(ShapeError, match="maps of one size"):
        network.forward(engine, {"a": {}, "b": {}}, np.zeros((1, 4, 4, 2)))


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
    assert GroupedConv2d(4, 6).multiply_adds((5, 5, 4)) == 5 * 5 * 6 * 9 * 2
    assert DepthwiseConv2d(4).multiply_adds((5, 5, 4)) == 5 * 5 * 4 * 9
    assert TransposedConv2d(4, 6, stride=2).multiply_adds((5, 5, 4)) == 5 * 5 * 9 * 4 * 6
    assert Concatenate({"a": Linear(3, 2), "b": Linear(3, 4)}).multiply_adds((3,)) == 18
    assert Parallel({"a": Linear(2, 2), "b": Linear(2, 4)}, 4).multiply_adds((4,)) == 12
    assert PrimaryCapsules(2, 3, 4, 3, 2).multiply_adds((7, 6, 2)) == 3 * 2 * 12 * 9 * 2
    # Predictions, three weighted sums, two comparisons.
    assert DigitCapsules(5, 3, 4, 2).multiply_adds((5, 3)) == 5 * 3 * 4 * 2 + 5 * 5 * 4 * 2


def test_a_fixed_weight_has_no_gradient_and_counts_for_none(engine, rng):
    layer = Conv2d(3, 4, 2, 1, 0, bias=True, fixed=True)
    v = layer.init(rng)
    _, saved, _ = layer.forward(engine, v, rng.normal(size=(2, 5, 5, 3)))
    _, grads = layer.backward(engine, v, saved, rng.normal(size=(2, 4, 4, 4)))
    assert grads.keys() == {"bias"}
    assert count_parameters(v) == 4
    frozen, variables = layer.freeze(v)
    assert frozen == Conv2d(3, 4, 2, 1, 0, bias=True)
    assert variables.keys() == {"weight", "bias"}


def test_a_normalisation_without_scale_or_shift_holds_none(rng):
    assert BatchNorm2d(3, scale=False).init(rng).keys() == {"bias", "running_mean", "running_var"}
    assert BatchNorm1d(3, shift=False).init(rng).keys() == {"weight", "running_mean", "running_var"}
    norm = ConvNorm(Conv2d(2, 3), scale=False, shift=False).init(rng)["norm"]
    assert norm.keys() == {"running_mean", "running_var"}
