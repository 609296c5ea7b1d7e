"""Layers beside the same in PyTorch, which was written by others; without it the tests skip."""

from __future__ import annotations

import numpy as np
import pytest

from residua.testing.arrays import cast, distance
from residua.variables import flatten, trainable

torch = pytest.importorskip("torch", reason="PyTorch is the oracle here: pip install residua[peer]")
torch.set_num_threads(1)  # two libraries' threads would wait for each other's cores

PRECISIONS = [pytest.param(np.float64, 1e-11, id="float64"), pytest.param(np.float32, 2e-5, id="float32")]


def to_torch(x):
    """NHWC -> NCHW where there are four axes."""
    x = np.ascontiguousarray(x.transpose(0, 3, 1, 2) if x.ndim == 4 else x)
    return torch.tensor(x)


def from_torch(x):
    x = x.detach().numpy()
    return x.transpose(0, 2, 3, 1) if x.ndim == 4 else x


def set_conv(module, v):
    module.weight.data = torch.tensor(np.ascontiguousarray(v["weight"].transpose(3, 2, 0, 1)))  # OIHW
    if "bias" in v:
        module.bias.data = torch.tensor(v["bias"])


def set_norm(module, v):
    module.weight.data, module.bias.data = torch.tensor(v["weight"]), torch.tensor(v["bias"])
    module.running_mean.data = torch.tensor(v["running_mean"])
    module.running_var.data = torch.tensor(v["running_var"])


def conv_grads(module, prefix=""):
    grads = {prefix + "weight": module.weight.grad.numpy().transpose(2, 3, 1, 0)}
    return grads if module.bias is None else grads | {prefix + "bias": module.bias.grad.numpy()}


def norm_grads(module, prefix=""):
    return {prefix + "weight": module.weight.grad.numpy(), prefix + "bias": module.bias.grad.numpy()}


def norm_stats(module, prefix=""):
    names = ("running_mean", "running_var")
    return {prefix + name: getattr(module, name).numpy().copy() for name in names}


def variables_of(layer, rng, dtype):
    """Away from the zeros and ones of a fresh layer."""
    v = cast(layer.init(rng), np.float64)

    def move(tree):
        return {
            name: move(value)
            if isinstance(value, dict)
            else (
                rng.uniform(0.5, 2, value.shape)
                if name == "running_var"
                else value + rng.normal(size=value.shape) / 5
            )
            for name, value in tree.items()
        }

    return cast(move(v), dtype)


def compare(engine, layer, v, x, module, tolerance, grads=dict, stats=dict):
    """y, dx, every gradient and every statistic; `grads` and `stats` read them from PyTorch afterwards."""
    peer_x = to_torch(x).requires_grad_()
    peer_y = module(peer_x)
    y, saved, new = layer.forward(engine, v, x)
    assert distance(y, from_torch(peer_y)) < tolerance
    dy = np.random.default_rng(5).normal(size=y.shape).astype(x.dtype)
    peer_y.backward(to_torch(dy))
    dx, got = layer.backward(engine, v, saved, dy)
    assert distance(dx, from_torch(peer_x.grad), floor=1e-3) < tolerance
    wanted = grads()
    assert set(flatten(got)) == set(wanted) == set(flatten(trainable(v)))
    for name, value in flatten(got).items():
        assert distance(value, wanted[name], floor=1e-1) < tolerance, name
    wanted = stats()
    assert set(flatten(new)) == set(wanted)
    for name, value in flatten(new).items():
        assert distance(value, wanted[name]) < tolerance, name
