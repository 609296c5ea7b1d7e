"""Layers and loss agree with PyTorch, which was written by others."""

from __future__ import annotations

import numpy as np
import pytest
from torch_layers import (
    PRECISIONS,
    compare,
    conv_grads,
    from_torch,
    norm_grads,
    norm_stats,
    set_conv,
    set_norm,
    to_torch,
    torch,
    variables_of,
)

from residua.layers import (
    AveragePool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    ConvNorm,
    Flatten,
    GlobalAveragePool,
    Identity,
    Linear,
    MaxPool2d,
    ReLU,
    Residual,
    Sequential,
    SubsamplePad,
)
from residua.testing.arrays import distance, distinct

nn, functional = torch.nn, torch.nn.functional


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(
    ("shape", "out", "size", "stride", "padding"),
    [
        ((2, 8, 8, 3), 16, 3, 1, 1),
        ((3, 9, 7, 16), 17, 3, 2, 1),
        ((2, 7, 7, 10), 4, 1, 2, 0),
        ((1, 12, 11, 3), 5, 7, 3, 3),
        ((2, 6, 9, 1), 3, 5, 1, 2),
        ((4, 5, 5, 2), 3, 2, 1, 0),
        ((9, 1, 1, 17), 10, 1, 1, 0),
        ((2, 3, 2, 4), 3, 3, 1, 3),
        ((2, 8, 8, 4), 4, 4, 2, 2),
    ],
)
def test_conv2d(engine, rng, shape, out, size, stride, padding, bias, dtype, tolerance):
    layer = Conv2d(shape[-1], out, size, stride, padding, bias)
    v = variables_of(layer, rng, dtype)
    module = nn.Conv2d(shape[-1], out, size, stride, padding, bias=bias)
    set_conv(module, v)
    x = rng.normal(size=shape).astype(dtype)
    compare(engine, layer, v, x, module, tolerance, lambda: conv_grads(module))


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("shape", [(5, 3), (33, 17), (2, 64)], ids=str)
@pytest.mark.parametrize("momentum", [0.1, 0.7])
def test_batch_norm_of_features(engine, rng, shape, momentum, dtype, tolerance):
    compare_norm(engine, rng, BatchNorm1d, nn.BatchNorm1d, shape, momentum, 1e-5, dtype, tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("shape", [(3, 5, 7, 3), (1, 3, 3, 17), (9, 1, 1, 10), (7, 4, 4, 64)], ids=str)
@pytest.mark.parametrize(("momentum", "eps"), [(0.1, 1e-5), (0.9, 1e-3)])
def test_batch_norm_of_pictures(engine, rng, shape, momentum, eps, dtype, tolerance):
    compare_norm(engine, rng, BatchNorm2d, nn.BatchNorm2d, shape, momentum, eps, dtype, tolerance)


def compare_norm(engine, rng, kind, peer, shape, momentum, eps, dtype, tolerance):
    layer = kind(shape[-1], momentum, eps)
    v = variables_of(layer, rng, dtype)
    module = peer(shape[-1], eps, momentum)
    set_norm(module, v)
    # Two numbers normalise to plus and minus one: dx is what cancellation leaves of it.
    few = np.prod(shape[:-1]) == 2
    x = distinct(rng, shape).astype(dtype)
    bound = tolerance * (100 if few else 1)
    compare(engine, layer, v, x, module, bound, lambda: norm_grads(module), lambda: norm_stats(module))
    set_norm(module, v)
    frozen, frozen_v = layer.freeze(v)
    assert distance(frozen.infer(engine, frozen_v, x), from_torch(module.eval()(to_torch(x)))) < tolerance


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize(
    ("shape", "size", "stride", "padding"),
    [
        ((2, 6, 4, 3), 2, 2, 0),
        ((3, 7, 5, 16), 3, 2, 1),
        ((1, 9, 9, 1), 3, 1, 1),
        ((2, 8, 7, 17), 3, 3, 0),
        ((2, 11, 10, 2), 5, 2, 2),
        ((1, 7, 7, 3), 2, 3, 1),
    ],
)
def test_pools(engine, rng, shape, size, stride, padding, dtype, tolerance):
    x = rng.normal(size=shape).astype(dtype)
    largest = nn.MaxPool2d(size, stride, padding)
    compare(engine, MaxPool2d(size, stride, padding), {}, x, largest, tolerance)
    mean = nn.AvgPool2d(size, stride, padding, count_include_pad=True)
    compare(engine, AveragePool2d(size, stride, padding), {}, x, mean, tolerance)
    # Windows with ties: the same winner.
    x = rng.integers(-1, 2, shape).astype(dtype)
    compare(engine, MaxPool2d(size, stride, padding), {}, x, largest, tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
def test_layers_without_variables(engine, rng, dtype, tolerance):
    x = rng.normal(size=(3, 5, 4, 6)).astype(dtype)
    compare(engine, GlobalAveragePool(), {}, x, lambda t: t.mean(dim=(2, 3)), tolerance)
    compare(engine, Flatten(), {}, x, lambda t: t.permute(0, 2, 3, 1).flatten(1), tolerance)
    x = np.round(2 * x) / 2
    compare(engine, ReLU(), {}, x, nn.ReLU(), tolerance)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("n", "before", "after"), [(1, 1, 1), (9, 64, 10), (3, 17, 5)])
def test_linear(engine, rng, n, before, after, bias, dtype, tolerance):
    layer = Linear(before, after, bias)
    v = variables_of(layer, rng, dtype)
    module = nn.Linear(before, after, bias)
    module.weight.data = torch.tensor(v["weight"].T.copy())
    if bias:
        module.bias.data = torch.tensor(v["bias"])

    def grads():
        found = {"weight": module.weight.grad.numpy().T}
        return found | {"bias": module.bias.grad.numpy()} if bias else found

    compare(engine, layer, v, rng.normal(size=(n, before)).astype(dtype), module, tolerance, grads)


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", [1.0, 100.0])
def test_loss(engine, rng, smoothing, weighted, size, dtype, tolerance):
    logits, labels = (size * rng.normal(size=(9, 10))).astype(dtype), rng.integers(0, 10, 9)
    weights = rng.uniform(0, 2, 9).astype(dtype) if weighted else None
    loss, dlogits = engine.softmax_cross_entropy(logits, labels, smoothing=smoothing, weights=weights)
    peer = torch.tensor(logits, requires_grad=True)
    losses = functional.cross_entropy(peer, torch.tensor(labels), label_smoothing=smoothing, reduction="none")
    peer_loss = (losses * torch.tensor(weights) if weighted else losses).mean()
    peer_loss.backward()
    assert abs(loss - peer_loss.item()) <= tolerance * abs(peer_loss.item())
    assert distance(dlogits, peer.grad.numpy()) < tolerance
    assert distance(engine.softmax(logits), torch.softmax(peer, 1).detach().numpy()) < tolerance


class Block(nn.Module):
    """A basic block as He et al. draw it, in PyTorch's own words."""

    def __init__(self, before, after, stride, shortcut):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.stride, self.extra, self.projection = stride, after - before, None
        if shortcut == "B":
            self.projection = nn.Conv2d(before, after, 1, stride, bias=False)
            self.norm3 = nn.BatchNorm2d(after)

    def forward(self, x):
        y = self.norm2(self.conv2(self.norm1(self.conv1(x)).relu()))
        if self.projection is not None:
            return (y + self.norm3(self.projection(x))).relu()
        before = self.extra // 2
        x = x[:, :, :: self.stride, :: self.stride]
        return (y + functional.pad(x, (0, 0, 0, 0, before, self.extra - before))).relu()

    def parts(self):
        pairs = [("body.conv1.", self.conv1, self.norm1), ("body.conv2.", self.conv2, self.norm2)]
        return pairs if self.projection is None else [*pairs, ("shortcut.", self.projection, self.norm3)]


@pytest.mark.parametrize(("dtype", "tolerance"), PRECISIONS)
@pytest.mark.parametrize(
    ("before", "after", "stride", "shortcut"),
    [(4, 4, 1, None), (4, 8, 2, "A"), (3, 6, 2, "A"), (4, 8, 2, "B"), (3, 5, 1, "B")],
)
def test_residual_blocks(engine, rng, before, after, stride, shortcut, dtype, tolerance):
    body = Sequential(
        {
            "conv1": ConvNorm(Conv2d(before, after, stride=stride)),
            "conv2": ConvNorm(Conv2d(after, after), relu=False),
        }
    )
    beside = {
        None: Identity(),
        "A": SubsamplePad(before, after, stride),
        "B": ConvNorm(Conv2d(before, after, 1, stride, 0), relu=False),
    }[shortcut]
    layer = Residual(body, beside)
    v = variables_of(layer, rng, dtype)
    module = Block(before, after, stride, shortcut)
    branches = {"body.conv1.": v["body"]["conv1"], "body.conv2.": v["body"]["conv2"]}
    branches["shortcut."] = v["shortcut"]
    for prefix, conv, norm in module.parts():
        set_conv(conv, branches[prefix]["conv"])
        set_norm(norm, branches[prefix]["norm"])

    def grads():
        found = {}
        for prefix, conv, norm in module.parts():
            found |= conv_grads(conv, prefix + "conv.") | norm_grads(norm, prefix + "norm.")
        return found

    def stats():
        found = {}
        for prefix, _, norm in module.parts():
            found |= norm_stats(norm, prefix + "norm.")
        return found

    x = distinct(rng, (3, 7, 6, before)).astype(dtype)
    compare(engine, layer, v, x, module, 5 * tolerance, grads, stats)
