"""Capsules: routing by agreement as published, its gradient, CapsNet and its losses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from residua.config import ModelOptions, OptimizerOptions
from residua.errors import ConfigError, ShapeError
from residua.layers import CapsuleNetwork, DigitCapsules, Linear, PrimaryCapsules, Reshape, Sequential, Tanh
from residua.layers.parameters import ZeroGenerator
from residua.models import MODELS, build_model
from residua.models.architectures.capsnet import capsnet
from residua.testing.arrays import cast, distance
from residua.training.array_training import train_on_arrays
from residua.training.losses import MarginLoss
from residua.training.optimizers import make_optimizer
from residua.training.step import make_step, start_state
from residua.variables import count_parameters, flatten, merge, trainable

WITHOUT_DECODER = 6_804_224


# ---------------------------------------------------------------- the layers, spelled out
def squashed(s):
    """Equation 1."""
    length = np.sqrt((s**2).sum())
    return length**2 / (1 + length**2) * s / length


def procedure_1(u, weight, routings):
    """Sabour et al. 2017, procedure 1, one number after the other; u: (below, d), weight (below, d, j, e)."""
    below, _, above, out = weight.shape
    expected = np.array([[u[i] @ weight[i, :, j] for j in range(above)] for i in range(below)])
    b = np.zeros((below, above))
    for _ in range(routings):
        c = np.array([np.exp(row) / np.exp(row).sum() for row in b])
        s = [sum(c[i, j] * expected[i, j] for i in range(below)) for j in range(above)]
        v = np.array([squashed(s[j]) for j in range(above)])
        for i in range(below):
            for j in range(above):
                b[i, j] += expected[i, j] @ v[j]
    assert v.shape == (above, out)
    return v


@pytest.mark.parametrize("routings", [1, 2, 3, 7])
def test_routing_is_the_published_procedure(engine, rng, routings):
    layer = DigitCapsules(6, 3, 4, 5, routings)
    v = {"weight": rng.normal(size=(6, 3, 4, 5))}
    x = rng.normal(size=(3, 6, 3))
    y, _, _ = layer.forward(engine, v, x)
    for n in range(3):
        np.testing.assert_allclose(y[n], procedure_1(x[n], v["weight"], routings), rtol=1e-12)


def test_routing_finds_the_capsules_that_agree(engine):
    """Four capsules tell of the same thing, one of another: routing makes the first class surer."""
    predictions = np.zeros((1, 2, 5, 3))
    predictions[0, 0] = [[1, 0, 0]] * 4 + [[-1, 0, 0]]
    predictions[0, 1] = [[0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1], [0, 1, 0]]
    once, thrice = (engine.route(predictions, routings=count)[0] for count in (1, 3))
    assert np.linalg.norm(thrice[0, 0]) > np.linalg.norm(once[0, 0]) + 0.1


def torch_routing(torch, expected, routings):
    """The same, with the gradient left to PyTorch; expected: (N, below, above, out)."""

    def squash(s):
        length = s.norm(dim=-1, keepdim=True)
        return length**2 / (1 + length**2) * s / length

    b = torch.zeros(expected.shape[:3], dtype=expected.dtype)
    for _ in range(routings):
        v = squash((b.softmax(dim=2)[..., None] * expected).sum(dim=1))
        b = b + (expected * v[:, None]).sum(dim=-1)
    return v


@pytest.mark.parametrize("routings", [1, 2, 3, 5])
def test_the_gradient_through_the_routing_is_that_of_torch(engine, rng, routings):
    torch = pytest.importorskip("torch")
    layer = DigitCapsules(12, 8, 5, 6, routings)
    v, x = cast(layer.init(rng), np.float64), rng.normal(size=(4, 12, 8))
    dy = rng.normal(size=(4, 5, 6))
    y, saved, _ = layer.forward(engine, v, x)
    dx, grads = layer.backward(engine, v, saved, dy)
    tx, tw = (torch.tensor(a, requires_grad=True) for a in (x, v["weight"]))
    ty = torch_routing(torch, torch.einsum("nid,idje->nije", tx, tw), routings)
    ty.backward(torch.tensor(dy))
    assert distance(y, ty.detach().numpy()) < 1e-12
    assert distance(dx, tx.grad.numpy()) < 1e-12
    assert distance(grads["weight"], tw.grad.numpy()) < 1e-12


def test_primary_capsules_are_those_of_torch(engine, rng):
    torch = pytest.importorskip("torch")
    layer = PrimaryCapsules(3, 4, 5, 3, 2)
    v, x = cast(layer.init(rng), np.float64), rng.normal(size=(2, 9, 8, 3))
    y, saved, _ = layer.forward(engine, v, x)
    dy = rng.normal(size=y.shape)
    dx, grads = layer.backward(engine, v, saved, dy)
    tx, tw = (torch.tensor(a, requires_grad=True) for a in (x, v["weight"]))
    z = torch.nn.functional.conv2d(tx.permute(0, 3, 1, 2), tw.permute(3, 2, 0, 1), stride=2)
    s = z.permute(0, 2, 3, 1).reshape(2, -1, 5)
    length = s.norm(dim=-1, keepdim=True)
    ty = length**2 / (1 + length**2) * s / length
    ty.backward(torch.tensor(dy))
    assert distance(y, ty.detach().numpy()) < 1e-12
    assert distance(dx, tx.grad.numpy()) < 1e-12
    assert distance(grads["weight"], tw.grad.numpy()) < 1e-12


def test_capsules_of_length_zero_have_no_direction(engine):
    zeros = np.zeros((2, 3, 4), np.float32)
    y, saved = engine.squash(zeros, dimension=4)
    assert np.array_equal(y, zeros)
    assert np.array_equal(engine.squash_backward(np.ones_like(y), saved, dimension=4), zeros)
    lengths, kept = engine.lengths(zeros)
    assert np.array_equal(engine.lengths_backward(np.ones_like(lengths), kept), zeros)
    shares, kept = engine.shares(lengths)
    assert np.array_equal(shares, np.full((2, 3), 1 / 3, np.float32))
    assert np.isfinite(engine.shares_backward(np.ones_like(shares), kept)).all()


# ---------------------------------------------------------------- the network
def small(reconstruction=0.05):
    """For pictures 6x5x2 and 3 classes."""
    layers = {"primary": PrimaryCapsules(2, 2, 3, 3, 2), "digit": DigitCapsules(8, 3, 3, 4)}
    decoder = {"hidden": Linear(12, 7), "tanh": Tanh(), "picture": Linear(7, 60), "shape": Reshape((6, 5, 2))}
    return CapsuleNetwork(layers, Sequential(decoder), reconstruction=reconstruction)


def test_as_many_parameters_as_published():
    """8.2 million with the decoder, 6.8 without (Sabour et al. 2017, section 5), counted by hand."""
    card = MODELS["capsnet"]
    network = build_model(ModelOptions(model="capsnet"), channels=1, classes=10)
    convolutions = 9 * 9 * 256 + 256 + 9 * 9 * 256 * 256 + 256
    routing = 6 * 6 * 32 * 8 * 10 * 16
    decoder = 160 * 512 + 512 + 512 * 1024 + 1024 + 1024 * 784 + 784
    assert convolutions + routing == WITHOUT_DECODER
    assert count_parameters(network.init(ZeroGenerator())) == card.parameters == WITHOUT_DECODER + decoder
    assert (round(card.parameters / 1e6, 1), round(WITHOUT_DECODER / 1e6, 1)) == (8.2, 6.8)
    frozen, variables = network.freeze(network.init(ZeroGenerator()))
    assert count_parameters(variables) == WITHOUT_DECODER
    assert frozen.output_shape((28, 28, 1)) == (10,)
    shape, seen = (28, 28, 1), {}
    for name, layer in network.layers.items():
        seen[name] = shape = layer.output_shape(shape)
    assert seen == {"conv1": (20, 20, 256), "primary": (1152, 8), "digit": (10, 16)}


def test_sizes_that_do_not_fit_are_refused():
    assert capsnet(size=(17, 19), width=3).output_shape((17, 19, 1)) == (10,)
    with pytest.raises(ShapeError, match="at least 17x17 pixels; it was given 16x28"):
        capsnet(size=(16, 28))
    with pytest.raises(ShapeError, match=r"CapsuleNetwork needs pictures \(6, 5, 2\)"):
        replace(small(), layers={"flat": Reshape((3, 4))}).output_shape((2, 6, 1))


@pytest.mark.parametrize("weights", [None, np.array([0.5, 2.0, 1.0])])
def test_the_loss_is_margin_and_reconstruction(engine, rng, weights):
    network, labels = small(), np.array([0, 2, 1])
    v, x = cast(network.init(rng), np.float64), rng.random((3, 6, 5, 2))
    loss, lengths, grads, stats = network.loss(engine, v, x, labels, weights=weights)
    capsules = network.capsules(engine, v, x)
    drawn = network.draw(engine, v, capsules, labels)
    np.testing.assert_allclose(lengths, np.linalg.norm(capsules, axis=2))
    each = 1 if weights is None else weights
    margin = np.zeros(3)
    for n, label in enumerate(labels):
        for k, length in enumerate(lengths[n]):
            margin[n] += max(0, 0.9 - length) ** 2 if k == label else 0.5 * max(0, length - 0.1) ** 2
    np.testing.assert_allclose(
        (margin * each).mean(), MarginLoss()(engine, lengths, labels, weights=weights)[0]
    )
    expected = (each * (margin + 0.05 * ((x - drawn) ** 2).sum(axis=(1, 2, 3)))).mean()
    np.testing.assert_allclose(loss, expected)
    assert stats == {}
    flat, gradients = flatten(v), flatten(grads)
    assert list(gradients) == list(flatten(trainable(v)))
    for path, value in flat.items():
        direction = rng.normal(size=value.shape)
        beside = [
            network.loss(engine, _moved(v, path, value + h * direction), x, labels, weights=weights)[0]
            for h in (1e-5, -1e-5)
        ]
        slope = (gradients[path] * direction).sum()
        assert abs((beside[0] - beside[1]) / 2e-5 - slope) < 1e-6 * max(abs(slope), 1e-2), path


def _moved(tree, path, value):
    update = value
    for name in reversed(path.split(".")):
        update = {name: update}
    return merge(tree, update)


def test_only_the_labels_capsule_is_drawn(engine, rng):
    network = small()
    v, x = network.init(rng), rng.random((2, 6, 5, 2)).astype(np.float32)
    labels = np.array([2, 0])
    capsules = network.capsules(engine, v, x)
    drawn = network.draw(engine, v, capsules, labels)
    other = capsules.copy()
    other[0, :2], other[1, 1:] = 7, -3
    assert np.array_equal(network.draw(engine, v, other, labels), drawn)
    other[0, 2] += 1
    assert not np.array_equal(network.draw(engine, v, other, labels)[0], drawn[0])


@pytest.mark.exhaustive
def test_a_step_on_the_fast_engine_is_that_of_the_reference(engine, rng):
    """Often enough that the step is recorded and played back."""
    fast = pytest.importorskip("residua.engines.numba").NumbaEngine(1)
    network = capsnet(size=(18, 17), channels=1, classes=3, width=8)
    options = OptimizerOptions(optimizer="adam", rate=0.001, decay=1e-4, nesterov=False)
    start = network.init(np.random.default_rng(5))
    batches = [(rng.random((6, 18, 17, 1), np.float32), rng.integers(0, 3, 6)) for _ in range(8)]
    losses = []
    for computing in (engine, fast):
        step = make_step(network, computing, options)
        state = start_state(start, make_optimizer(options), 0.0)
        seen = []
        for images, labels in batches:
            state, results = step(state, images, labels, None, 0.001)
            seen.append(float(results["loss"]))
        losses.append(seen)
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)


def test_label_smoothing_is_refused_before_anything_is_written(rng, engine):
    images = rng.integers(0, 256, (8, 17, 17, 1), np.uint8)
    labels = np.arange(8) % 2
    options = {"model": "capsnet", "width": 8, "smoothing": 0.1, "epochs": 1}
    with pytest.raises(ConfigError, match="capsnet trains without label smoothing: leave --smoothing out"):
        train_on_arrays(images, labels, ("a", "b"), validation=0, options=options)
    network = small()
    with pytest.raises(ConfigError, match="no label smoothing"):
        network.loss(engine, network.init(rng), rng.random((1, 6, 5, 2)), np.zeros(1, int), smoothing=0.1)
