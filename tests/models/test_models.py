"""Every model of the table is what its card says."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from residua.config import ModelOptions
from residua.errors import ConfigError, ShapeError
from residua.layers import (
    Add,
    BatchNorm2d,
    Conv2d,
    ConvNorm,
    Dropout,
    GlobalAveragePool,
    Identity,
    Linear,
    ReLU,
    Residual,
    Sequential,
    SubsamplePad,
)
from residua.models import MODELS, build_model, find_card
from residua.models.architectures.small_resnet import small_resnet
from residua.testing.arrays import distance
from residua.variables import count_parameters, flatten, merge, trainable

# He et al. 2015, table 6: millions of parameters and test error in per cent.
PUBLISHED = {
    "resnet20": (0.27, 8.75),
    "resnet32": (0.46, 7.51),
    "resnet44": (0.66, 7.17),
    "resnet56": (0.85, 6.97),
    "resnet110": (1.7, 6.43),
    "preresnet110": (1.7, 6.37),  # He et al. 2016, table 2
}
SMALL = [name for name, card in MODELS.items() if card.builder is small_resnet]


def build(name, **options):
    return build_model(ModelOptions(model=name, **options), channels=3, classes=10)


def batch(rng, count=4, side=16):
    return rng.normal(size=(count, side, side, 3)).astype(np.float32)


@pytest.mark.parametrize("name", SMALL)
def test_parameters_are_those_of_the_card(name):
    card, network = MODELS[name], build(name)
    v = network.init(np.random.default_rng(0))
    assert count_parameters(v) == card.parameters
    assert sum(row.parameters for row in network.rows(card.input_shape)) == card.parameters
    assert network.output_shape(card.input_shape) == (10,)


@pytest.mark.parametrize("name", PUBLISHED)
def test_cards_say_what_was_published(name):
    millions, error = PUBLISHED[name]
    digits = len(str(millions).split(".")[1])
    assert round(MODELS[name].parameters / 1e6, digits) == millions
    assert MODELS[name].published_error == error


@pytest.mark.parametrize("name", SMALL)
def test_parameters_counted_by_hand(name):
    """Convolutions 3x3, two numbers per channel for each normalisation, and the last layer."""
    blocks = (int("".join(filter(str.isdigit, name))) - 2) // 6
    count, before = 3 * 9 * 16 + 2 * 16, 16
    for after in (16, 32, 64):
        for _ in range(blocks):
            count += 9 * before * after + 9 * after * after + 4 * after
            before = after
    assert MODELS[name].parameters == count + 64 * 10 + 10


def test_depth_counts_the_layers_with_weights():
    for depth in (8, 20, 56):
        rows = list(small_resnet(depth=depth).rows((32, 32, 3)))
        assert sum(row.kind in ("ConvNorm", "Linear") for row in rows) == depth


def test_cost_of_resnet20():
    """40.6 million multiply-adds in convolutions and the last layer, as is commonly quoted."""
    stages = 32 * 32 * 9 * 16 * 16 * 6 + 16 * 16 * 9 * 32 * (16 + 32 * 5) + 8 * 8 * 9 * 64 * (32 + 64 * 5)
    assert build("resnet20").multiply_adds((32, 32, 3)) == 32 * 32 * 27 * 16 + stages + 640


@pytest.mark.parametrize("name", SMALL)
def test_every_weight_receives_a_gradient(name, engine, rng):
    network = build(name)
    v = network.init(rng)
    logits, saved, stats = network.forward(engine, v, batch(rng))
    _, dlogits = engine.softmax_cross_entropy(logits, rng.integers(0, 10, 4))
    dx, grads = network.backward(engine, v, saved, dlogits)
    assert dx.shape == (4, 16, 16, 3)
    weights, flat = flatten(trainable(v)), flatten(grads)
    assert list(flat) == list(weights)
    for path, gradient in flat.items():
        assert gradient.shape == weights[path].shape
        assert np.isfinite(gradient).all()
        # A channel that ReLU silences receives none; a whole array never.
        assert np.abs(gradient).max() > 0, path
    assert {path for path in flatten(v) if "running" in path} == set(flatten(stats))


def by_running_statistics(engine, layer, v, x):
    """Inference spelled out: what `freeze` folds together, one thing after the other."""
    if isinstance(layer, Sequential):
        for name, inner in layer.layers.items():
            x = by_running_statistics(engine, inner, v[name], x)
        return x
    if isinstance(layer, Residual):
        y = by_running_statistics(engine, layer.body, v["body"], x)
        if layer.shortcut is not None:
            y = y + by_running_statistics(engine, layer.shortcut, v["shortcut"], x)
        return np.maximum(y, 0)
    if isinstance(layer, ConvNorm):
        conv, norm = layer.conv, v["norm"]
        z, _ = engine.conv2d(x, v["conv"]["weight"], None, stride=conv.stride, padding=conv.padding)
        y = (z - norm["running_mean"]) / np.sqrt(norm["running_var"] + layer.eps)
        y = y * norm["weight"] + norm["bias"]
        return np.maximum(y, 0) if layer.relu else y
    if isinstance(layer, BatchNorm2d):
        y = (x - v["running_mean"]) / np.sqrt(v["running_var"] + layer.eps) * v["weight"] + v["bias"]
        return np.maximum(y, 0) if layer.relu else y
    if isinstance(layer, Add):
        return sum(by_running_statistics(engine, inner, v[name], x) for name, inner in layer.branches.items())
    if isinstance(layer, Dropout):
        return x
    assert isinstance(layer, Conv2d | Linear | ReLU | GlobalAveragePool | SubsamplePad | Identity)
    return layer.forward(engine, v, x)[0]


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("options", [{}, {"shortcut": "B", "hidden": (12,), "dropout": 0.5}], ids=str)
def test_freeze_agrees_with_running_statistics(name, options, engine, rng):
    network = build(name, **options)
    v = network.init(rng)
    for _ in range(2):
        v = merge(v, network.forward(engine, v, batch(rng))[2])
    x = batch(rng, 3)
    frozen, frozen_v = network.freeze(v)
    got = frozen.infer(engine, frozen_v, x)
    assert got.dtype == np.float32
    assert distance(got, by_running_statistics(engine, network, v, x)) < 1e-4
    kinds = {row.kind for row in frozen.rows((16, 16, 3))}
    assert not kinds & {"ConvNorm", "BatchNorm2d", "Dropout"}


@pytest.mark.parametrize("name", SMALL)
def test_init_follows_from_the_seed(name):
    network = build(name)
    first, again, other = (flatten(network.init(np.random.default_rng(s))) for s in (3, 3, 4))
    for path, array in first.items():
        assert array.dtype == np.float32
        assert np.array_equal(array, again[path])
    assert not np.array_equal(first["stem.conv.weight"], other["stem.conv.weight"])


def test_weights_are_as_large_as_he_says():
    v = small_resnet(depth=8, width=64).init(np.random.default_rng(0))
    weight = v["stage1"]["0"]["body"]["conv2"]["conv"]["weight"]
    assert abs(weight.std() / (2 / (9 * 64)) ** 0.5 - 1) < 0.02


@pytest.mark.parametrize("name", SMALL)
def test_layer_names_are_paths(name):
    """A dot in a name would break the paths in files."""
    network = build(name)
    assert all("." not in part for part in network.layers)
    assert len(flatten(network.init(np.random.default_rng(0)))) > 0


def test_options_reach_the_network():
    network = build("resnet8", width=4, hidden=(7, 5), dropout=0.25, shortcut="B")
    rows = {row.name: row for row in network.rows((32, 32, 3))}
    assert rows["stem"].output_shape == (32, 32, 4)
    assert rows["hidden1"].output_shape == (7,)
    assert rows["hidden2"].output_shape == (5,)
    assert rows["dropout"].kind == "Dropout"
    assert rows["stage2.0.shortcut"].kind == "ConvNorm"
    assert "stage1.0.shortcut" in rows
    plain = {row.name for row in build("plain20", shortcut="B").rows((32, 32, 3))}
    assert not any("shortcut" in name for name in plain)


def test_channels_and_classes_are_free():
    network = build_model(ModelOptions(model="resnet8"), channels=1, classes=3)
    assert network.output_shape((28, 28, 1)) == (3,)
    assert network.output_shape((9, 33, 1)) == (3,)


def test_an_unknown_model_lists_its_neighbours():
    with pytest.raises(ConfigError, match=r"no model 'resnet21'\. Did you mean .*'resnet20'"):
        find_card("resnet21")
    with pytest.raises(ConfigError, match=r"Choose from: .*resnet8"):
        build("zzz")


@pytest.mark.parametrize("depth", [-4, 2, 9, 21])
def test_a_depth_outside_the_family_is_refused(depth):
    with pytest.raises(ValueError, match=rf"6n \+ 2 .*given as {depth}"):
        small_resnet(depth=depth)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((32, 32, 1), r"^stem: Conv2d needs pictures \(H, W, 3\); it was given \(32, 32, 1\)$"),
        ((32, 32), r"^stem: Conv2d needs pictures \(H, W, 3\); it was given \(32, 32\)$"),
        ((0, 32, 3), r"^stem: Conv2d needs pictures of at least 1 pixel"),
    ],
)
def test_pictures_that_do_not_fit_are_refused_by_path(shape, message):
    with pytest.raises(ShapeError, match=message):
        build("resnet20").output_shape(shape)


def test_a_layer_deep_inside_is_named():
    network = build("resnet8")
    block = network.layers["stage2"].layers["0"]
    bad = Residual(block.body, Identity())
    stage = Sequential({"0": bad})
    network = Sequential({**network.layers, "stage2": stage})
    with pytest.raises(ShapeError, match=r"^stage2\.0: Residual needs body and shortcut of one shape"):
        network.output_shape((32, 32, 3))


def test_fed_pictures_that_do_not_fit(engine):
    """The computation itself refuses as well, naming what it needs and what came."""
    network = build("resnet8")
    v = network.init(np.random.default_rng(0))
    for run in (network.forward, network.infer):
        with pytest.raises(ShapeError, match=r"stem: .*3 channels.*given \(2, 32, 32, 1\)"):
            run(engine, v, np.zeros((2, 32, 32, 1), np.float32))


def test_a_misfit_deep_inside_is_named_when_fed(engine):
    """As above, out of nested containers."""
    inner = Residual(Sequential({"conv": Conv2d(2, 2)}), None)
    for network, path in (
        (Sequential({"a": Identity(), "b": inner}), "b.body.conv"),
        (Residual(Identity(), Sequential({"c": inner})), "shortcut.c.body.conv"),
    ):
        v = network.init(np.random.default_rng(0))
        for run in (network.forward, network.infer):
            with pytest.raises(ShapeError) as caught:
                run(engine, v, np.zeros((1, 4, 4, 3)))
            assert caught.value.place == path


def test_builders_take_what_cards_say():
    for card in MODELS.values():
        assert set(card.options) <= set(inspect.signature(card.builder).parameters)
