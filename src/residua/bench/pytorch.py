"""PyTorch's side of the benchmarks: float32, eager, as its users run it on a CPU; imports PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval as fuse

from residua.bench.networks import OPTIONS, Convolution, Labels, Network, Pictures
from residua.bench.pytorch_capsules import train_step as capsules_step  # noqa: F401
from residua.bench.pytorch_networks import BUILDERS, load, squeezenet
from residua.bench.pytorch_networks import LAYOUTS as LAYOUTS
from residua.bench.pytorch_speed_run import train_step as speed_run_step  # noqa: F401
from residua.bench.timing import Workload
from residua.variables import Tree


def use_threads(threads: int) -> None:
    """So many from now on."""
    torch.set_num_threads(threads)


def with_threads(threads: int, workload: Workload) -> Workload:
    """The workload with so many threads; the setting costs a microsecond."""

    def run() -> object:
        torch.set_num_threads(threads)
        return workload()

    return run


def _tensor(pictures: Pictures, layout: str) -> torch.Tensor:
    x = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
    return x.contiguous(memory_format=LAYOUTS[layout])


def _build(network: Network, layout: str, variables: Tree | None = None) -> nn.Module:
    torch.manual_seed(0)
    built = BUILDERS[network.builder.__name__](**network.options, classes=network.classes)
    if variables is not None:
        load(built, variables)
    return built.to(memory_format=LAYOUTS[layout])


def train_step(
    network: Network,
    pictures: Pictures,
    labels: Labels,
    layout: str,
    variables: Tree | None = None,
    rate: float = OPTIONS.rate or 0.0,
) -> Workload:
    """One step on one batch that lies ready: forward, backward, update, and the loss read."""
    built = _build(network, layout, variables).train()
    x, t = _tensor(pictures, layout), torch.from_numpy(labels)
    optimizer = torch.optim.SGD(
        built.parameters(),
        lr=rate,
        momentum=OPTIONS.momentum,
        nesterov=bool(OPTIONS.nesterov),
        weight_decay=OPTIONS.decay or 0.0,
        fused=True,  # the fastest of its ways to update
    )

    def step() -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(built(x), t)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def inference(network: Network, pictures: Pictures, layout: str) -> Workload:
    """The network's answers."""
    built, x = _build(network, layout).train(mode=False), _tensor(pictures, layout)

    def infer() -> object:
        with torch.inference_mode():
            return built(x)

    return infer


def convolution(layer: Convolution, x: Pictures, weight: Pictures, dy: Pictures, layout: str) -> Workload:
    """Forward and backward."""
    kernel = _tensor(weight.transpose(3, 0, 1, 2), layout).requires_grad_(not layer.fixed)
    bias = torch.zeros(layer.filters, requires_grad=True) if layer.fixed else None
    tx, tdy = (_tensor(array, layout) for array in (x, dy))
    tx.requires_grad_(layer.want_dx)

    def run() -> object:
        kernel.grad = tx.grad = None
        y = functional.conv2d(tx, kernel, bias, stride=layer.stride, padding=layer.padding)
        y.backward(tdy)
        return y

    return run


def folded_inference(network: Network, pictures: Pictures, layout: str, variables: Tree) -> Workload:
    """The network's answers, normalisation folded into the convolutions before it."""
    built = fold(_build(network, "contiguous", variables).train(mode=False)).to(memory_format=LAYOUTS[layout])
    x = _tensor(pictures, layout)

    def infer() -> object:
        with torch.inference_mode():
            return built(x)

    return infer


def save_squeezenet(variables: Tree, file: Path) -> None:
    """SqueezeNet's weights for a thousand classes, as PyTorch's programs read them."""
    save_file(load(squeezenet(), variables).state_dict(), file)


def fold(network: nn.Module) -> Any:
    """The network, every convolution of a sequence joined with the normalisation behind it."""
    for name, child in network.named_children():
        setattr(network, name, fold(child))
    if not isinstance(network, nn.Sequential):
        return network
    layers: list[nn.Module] = []
    for layer in network:
        if isinstance(layer, nn.BatchNorm2d) and layers and isinstance(layers[-1], nn.Conv2d):
            layers[-1] = fuse(layers[-1], layer)
        else:
            layers.append(layer)
    return nn.Sequential(*layers)
