"""airbench94: as published, block by block, and its first weights."""

from __future__ import annotations

import numpy as np
import pytest

from residua.engines import open_engine
from residua.errors import ShapeError
from residua.layers.parameters import ZeroGenerator
from residua.models.architectures.airbench import airbench94
from residua.testing.arrays import cast, distance
from residua.variables import flatten, trainable

torch = pytest.importorskip("torch")
nn = torch.nn


def peer(width):
    """The published program's network, by its paper and its sizes, in PyTorch."""

    def norm(channels):
        return nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)

    def block(before, after):
        return nn.Sequential(
            nn.Conv2d(before, after, 3, padding="same", bias=False),
            nn.MaxPool2d(2),
            norm(after),
            nn.GELU(),
            nn.Conv2d(after, after, 3, padding="same", bias=False),
            norm(after),
            nn.GELU(),
        )

    class Scaled(nn.Module):
        def forward(self, x):
            return x / 9

    blocks = [block(24, width), block(width, 4 * width), block(4 * width, 4 * width)]
    return nn.Sequential(
        nn.Conv2d(3, 24, 2, bias=True), nn.GELU(), *blocks,
        nn.MaxPool2d(3), nn.Flatten(), nn.Linear(4 * width, 10, bias=False), Scaled(),
    )  # fmt: skip


def test_agrees_with_pytorch_in_value_and_gradient(rng):
    width, engine = 8, open_engine("numpy")
    network = airbench94(width=width)
    v = cast(network.init(rng), np.float64)
    theirs = peer(width).double()
    arrays = flatten(v)
    turned = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}
    for module in theirs.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.requires_grad_(False)
    names = [name for name in arrays if "running" not in name]
    parameters = [p for name, p in theirs.named_parameters() if p.requires_grad]
    with torch.no_grad():
        for name, parameter in zip(names, parameters, strict=True):
            parameter.copy_(torch.from_numpy(arrays[name].transpose(turned[arrays[name].ndim]).copy()))
    x, dy = rng.normal(size=(4, 32, 32, 3)), rng.normal(size=(4, 10))
    y, saved, _ = network.forward(engine, v, x)
    dx, grads = network.backward(engine, v, saved, dy)
    tx = torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).requires_grad_()
    ty = theirs(tx)
    ty.backward(torch.from_numpy(dy))
    assert distance(y, ty.detach().numpy()) < 1e-12
    assert distance(dx, tx.grad.numpy().transpose(0, 2, 3, 1)) < 1e-10
    peers = dict(zip(names, parameters, strict=True))
    for name, gradient in flatten(grads).items():
        found = peers[name].grad.numpy().transpose({4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}[gradient.ndim])
        assert distance(gradient, found) < 1e-9, name
    assert flatten(grads).keys() == flatten(trainable(v)).keys()


def test_sizes_and_first_weights(rng):
    network = airbench94()
    shape, sides = (32, 32, 3), []
    for layer in network.layers.values():
        shape = layer.output_shape(shape)
        sides.append(shape[0])
    assert sides == [31, 31, 15, 7, 3, 1, 256, 10, 10]
    assert network.multiply_adds((32, 32, 3)) == 118_147_360
    weight = network.init(rng)["block1"]["conv1"]["weight"]
    identity = np.zeros((3, 3, 24, 24))
    identity[1, 1] = np.eye(24)
    np.testing.assert_array_equal(weight[..., :24], identity)
    assert weight[..., 24:].std() == pytest.approx((3 * 9 * 24) ** -0.5, rel=0.05)
    assert airbench94(channels=1, classes=3, size=(28, 28)).init(ZeroGenerator())["whiten"][
        "fixed_weight"
    ].shape == (2, 2, 1, 8)
    with pytest.raises(ShapeError, match="at least 25x25 pixels; it was given 24x30"):
        airbench94(size=(24, 30))
