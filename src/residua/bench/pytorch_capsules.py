"""CapsNet in PyTorch, as it is commonly written there; imports PyTorch.

Sabour, Frosst, Hinton 2017, arXiv 1710.09829: predictions as one sum over pairs of capsules, the gradient
through all three routings.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from residua.bench.capsules import OPTIONS
from residua.bench.networks import Labels, Pictures
from residua.bench.pytorch_networks import LAYOUTS, turned
from residua.bench.timing import Workload
from residua.variables import Tree

TINY = 1e-12  # what keeps the gradient by a length of zero finite


def _length(x: torch.Tensor) -> torch.Tensor:
    return torch.sqrt((x * x).sum(-1, keepdim=True) + TINY)


def _squash(x: torch.Tensor) -> torch.Tensor:
    size = _length(x)
    return x * (size / (1 + size * size))


class CapsNet(nn.Module):
    """The network with these variables of residua's, and its loss."""

    def __init__(self, variables: Tree) -> None:
        super().__init__()
        first, second, digit = (variables[name] for name in ("conv1", "primary", "digit"))
        self.first, self.second = _convolution(first, 1), _convolution(second, 2)
        self.weight = nn.Parameter(torch.from_numpy(digit["weight"].copy()))
        decoder = variables["decoder"]
        layers = [_linear(decoder[name]) for name in ("hidden1", "hidden2", "picture")]
        self.decoder = nn.Sequential(layers[0], nn.ReLU(), layers[1], nn.ReLU(), layers[2], nn.Sigmoid())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The class capsules (N, classes, dimension)."""
        below, inside, above, _ = self.weight.shape
        z = self.second(functional.relu(self.first(x)))
        u = _squash(z.permute(0, 2, 3, 1).reshape(len(x), below, inside))
        predictions = torch.einsum("bid,idjo->bijo", u, self.weight)
        logits = torch.zeros(len(x), below, above)
        for routing in range(3):
            v = _squash((logits.softmax(2)[..., None] * predictions).sum(1))
            if routing < 2:
                logits = logits + (predictions * v[:, None]).sum(-1)
        return v

    def loss(self, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Margin loss, and the squared error of the drawing."""
        capsules = self(x)
        lengths, right = _length(capsules)[..., 0], functional.one_hot(t, capsules.shape[1]).float()
        present, absent = functional.relu(0.9 - lengths) ** 2, functional.relu(lengths - 0.1) ** 2
        margin = (right * present + 0.5 * (1 - right) * absent).sum(1).mean()
        drawn = self.decoder((capsules * right[..., None]).flatten(1))
        # Pictures in order of rows, columns and channels, as residua's decoder draws them.
        return margin + 0.0005 * ((drawn - x.permute(0, 2, 3, 1).flatten(1)) ** 2).sum(1).mean()


def _convolution(variables: Tree, stride: int) -> Any:
    kernel, _, channels, filters = variables["weight"].shape
    made = nn.Conv2d(channels, filters, kernel, stride)
    return _filled(made, variables)


def _linear(variables: Tree) -> Any:
    return _filled(nn.Linear(*variables["weight"].shape), variables)


def _filled(made: Any, variables: Tree) -> Any:
    with torch.no_grad():
        made.weight.copy_(turned(variables["weight"]))
        made.bias.copy_(torch.from_numpy(variables["bias"]))
    return made


def train_step(variables: Tree, pictures: Pictures, labels: Labels, layout: str) -> Workload:
    """One step on one batch that lies ready; its loss."""
    network = CapsNet(variables).to(memory_format=LAYOUTS[layout])
    x = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
    x, t = x.contiguous(memory_format=LAYOUTS[layout]), torch.from_numpy(labels)
    optimizer = torch.optim.Adam(network.parameters(), lr=OPTIONS.rate or 0.0, fused=True)

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = network.loss(x, t)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step
