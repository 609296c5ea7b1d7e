"""The same networks in PyTorch, channels_last: its fastest mode on a CPU for these shapes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from networks import DECAY, MOMENTUM, RATE


class Block(nn.Module):
    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.stride, self.extra = stride, after - before

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = functional.relu(self.norm1(self.conv1(x)), inplace=True)
        y = self.norm2(self.conv2(y))
        if self.stride != 1:
            half = self.extra // 2
            x = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.extra - half))
        return functional.relu(x + y, inplace=True)


def torch_resnet(depth: int, width: int = 16) -> nn.Module:
    layers: list[nn.Module] = [nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    before = width
    for stage in range(3):
        after = width << stage
        for number in range((depth - 2) // 6):
            layers.append(Block(before, after, 2 if stage and not number else 1))
            before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 10))


def torch_step(depth: int, pictures: np.ndarray, labels: np.ndarray) -> Callable[[], float]:
    torch.manual_seed(0)
    network = torch_resnet(depth).train().to(memory_format=torch.channels_last)
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
    t = torch.from_numpy(labels)
    optimizer = torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)

    def step() -> float:
        optimizer.zero_grad()
        loss = functional.cross_entropy(network(x), t)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    return step


def torch_inference(depth: int, pictures: np.ndarray) -> Callable[[], object]:
    torch.manual_seed(0)
    network = torch_resnet(depth).eval().to(memory_format=torch.channels_last)
    x = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)

    def infer() -> object:
        with torch.no_grad():
            return network(x)

    return infer


def torch_layer(x: np.ndarray, dy: np.ndarray, kernel: int, stride: int, want_dx: bool) -> Callable[[], None]:
    """One convolution forward and backward."""
    layout = {"memory_format": torch.channels_last}
    conv = nn.Conv2d(x.shape[3], dy.shape[3], kernel, stride, kernel // 2, bias=False).to(**layout)
    tx, tdy = (torch.from_numpy(a).permute(0, 3, 1, 2).contiguous(**layout) for a in (x, dy))
    tx.requires_grad_(want_dx)

    def run() -> None:
        conv.weight.grad = tx.grad = None
        conv(tx).backward(tdy)

    return run
