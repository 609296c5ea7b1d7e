"""Whole networks beside the same in PyTorch: weights, logits and gradients, in float64."""

from __future__ import annotations

import numpy as np

from residua.testing.arrays import distance
from residua.variables import flatten


def translated(torch, tensor):
    array = tensor.detach().numpy()
    return array.transpose(2, 3, 1, 0) if array.ndim == 4 else array.T if array.ndim == 2 else array


def hold_to_peer(torch, engine, network, v, peer, names, x):
    """Logits, dx and every gradient, in float64. names: {our path: PyTorch's}."""
    peer_x = torch.tensor(np.ascontiguousarray(x.transpose(0, 3, 1, 2)), requires_grad=True)
    peer_y = peer(peer_x)
    y, saved, stats = network.forward(engine, v, x)
    assert distance(y, peer_y.detach().numpy()) < 1e-10
    dy = np.random.default_rng(5).normal(size=y.shape)
    peer_y.backward(torch.tensor(dy))
    dx, grads = network.backward(engine, v, saved, dy)
    assert distance(dx, peer_x.grad.numpy().transpose(0, 2, 3, 1)) < 1e-8
    theirs = dict(peer.named_parameters())
    assert set(names) == set(flatten(grads))
    for path, gradient in flatten(grads).items():
        wanted = translated(torch, theirs[names[path]].grad)
        assert distance(gradient, wanted, floor=1e-3) < 1e-8, path
    buffers = dict(peer.named_buffers())
    for path, value in flatten(stats).items():
        ours, statistic = path.rsplit(".", 1)
        named = names[f"{ours}.weight"].rsplit(".", 1)[0]
        assert distance(value, buffers[f"{named}.{statistic}"].numpy()) < 1e-10, path


def stirred(torch, peer, seed=0):
    """The peer in float64, its normalisations away from ones and zeros."""
    generator = torch.Generator().manual_seed(seed)
    peer = peer.double()
    for parameter in peer.parameters():
        if parameter.ndim == 1:
            parameter.data += 0.2 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        else:
            fan_in = parameter[0].numel()
            parameter.data = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.data *= (2 / fan_in) ** 0.5
    return peer
