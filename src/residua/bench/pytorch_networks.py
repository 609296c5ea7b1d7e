"""The networks of the benchmarks in PyTorch, from the same options as residua's; imports PyTorch.

Written after the papers and in the order of layers that torchvision has: He et al. 2015, arXiv 1512.03385;
Simonyan and Zisserman 2014, arXiv 1409.1556.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from residua.variables import flatten, trainable

# How pictures lie in memory: pixel by pixel, or channel by channel. Which is faster depends on the work.
LAYOUTS = {"channels_last": torch.channels_last, "contiguous": torch.contiguous_format}
DEPTHS = {
    18: ((2, 2, 2, 2), 1),
    34: ((3, 4, 6, 3), 1),
    50: ((3, 4, 6, 3), 4),
    101: ((3, 4, 23, 3), 4),
    152: ((3, 8, 36, 3), 4),
}


def conv_norm(before: int, after: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """A convolution without bias and its normalisation."""
    conv = nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False)
    return [conv, nn.BatchNorm2d(after)]


class SubsamplePad(nn.Module):
    """Every stride-th pixel, with channels of zeros on both sides: shortcut A."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.pad = ((after - before) // 2, after - before - (after - before) // 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) -> (N, C', H', W')."""
        return functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, *self.pad))


class Residual(nn.Module):
    """relu(body(x) + shortcut(x))."""

    def __init__(self, body: list[nn.Module], shortcut: nn.Module) -> None:
        super().__init__()
        self.body, self.shortcut = nn.Sequential(*body), shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Shaped like the body's."""
        return functional.relu(self.body(x) + self.shortcut(x), inplace=True)


def basic(before: int, width: int, stride: int) -> list[nn.Module]:
    """Two 3x3 convolutions."""
    first, second = conv_norm(before, width, 3, stride), conv_norm(width, width, 3)
    return [*first, nn.ReLU(inplace=True), *second]


def bottleneck(before: int, width: int, stride: int, after: int) -> list[nn.Module]:
    """1x1, 3x3 (which has the stride, as in torchvision), 1x1."""
    first, second = conv_norm(before, width, 1), conv_norm(width, width, 3, stride)
    return [*first, nn.ReLU(inplace=True), *second, nn.ReLU(inplace=True), *conv_norm(width, after, 1)]


def small_resnet(depth: int, classes: int = 10, width: int = 16) -> nn.Module:
    """For small pictures (He et al. 2015, section 4.2), shortcuts A."""
    layers = [*conv_norm(3, width, 3), nn.ReLU(inplace=True)]
    before = width
    for stage in range(3):
        after = width << stage
        for number in range((depth - 2) // 6):
            stride = 2 if stage and not number else 1
            shortcut = nn.Identity() if stride == 1 else SubsamplePad(before, after, stride)
            layers.append(Residual(basic(before, after, stride), shortcut))
            before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes))


def large_resnet(depth: int, classes: int = 1000, stem: str = "large", width: int = 64) -> nn.Module:
    """For large pictures (He et al. 2015, table 1), shortcuts B; the small stem is a 3x3 convolution."""
    if stem == "large":
        layers = [*conv_norm(3, width, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    else:
        layers = [*conv_norm(3, width, 3), nn.ReLU(inplace=True)]
    blocks, expansion = DEPTHS[depth]
    before = width
    for stage, count in enumerate(blocks):
        inner, after = width << stage, (width << stage) * expansion
        for number in range(count):
            stride = 2 if stage and not number else 1
            if expansion == 1:
                body = basic(before, inner, stride)
            else:
                body = bottleneck(before, inner, stride, after)
            same = before == after and stride == 1
            shortcut = nn.Identity() if same else nn.Sequential(*conv_norm(before, after, 1, stride))
            layers.append(Residual(body, shortcut))
            before = after
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, classes))


def vgg(
    blocks: tuple[int, ...],
    classes: int = 1000,
    size: tuple[int, int] = (224, 224),
    width: int = 64,
    hidden: tuple[int, ...] = (4096, 4096),
) -> nn.Module:
    """3x3 convolutions with ReLU between poolings, then fully connected layers with dropout."""
    layers: list[nn.Module] = []
    before = 3
    for block, count in enumerate(blocks):
        after = width * min(8, 2**block)
        for _ in range(count):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True)]
            before = after
        layers.append(nn.MaxPool2d(2))
    layers.append(nn.Flatten())
    before *= (size[0] >> len(blocks)) * (size[1] >> len(blocks))
    for units in hidden:
        layers += [nn.Linear(before, units), nn.ReLU(inplace=True), nn.Dropout(0.5)]
        before = units
    return nn.Sequential(*layers, nn.Linear(before, classes))


def alexnet(
    classes: int = 1000,
    size: tuple[int, int] = (224, 224),
    towers: int = 1,
    response_norm: bool = False,
    hidden: tuple[int, ...] = (4096, 4096),
) -> nn.Module:
    """Krizhevsky 2014's sizes, in one tower and without local response normalisation."""
    assert (towers, response_norm) == (1, False)
    plan = ((64, 11, 4, 2), (192, 5, 1, 2), (384, 3, 1, 1), (256, 3, 1, 1), (256, 3, 1, 1))
    layers: list[nn.Module] = []
    before, sides = 3, list(size)
    for number, (after, kernel, stride, padding) in enumerate(plan, start=1):
        layers += [nn.Conv2d(before, after, kernel, stride, padding), nn.ReLU(inplace=True)]
        sides = [(side + 2 * padding - kernel) // stride + 1 for side in sides]
        if number in (1, 2, 5):
            layers.append(nn.MaxPool2d(3, 2))
            sides = [(side - 3) // 2 + 1 for side in sides]
        before = after
    layers.append(nn.Flatten())
    before *= sides[0] * sides[1]
    for units in hidden:
        layers += [nn.Linear(before, units), nn.ReLU(inplace=True), nn.Dropout(0.5)]
        before = units
    return nn.Sequential(*layers, nn.Linear(before, classes))


class Fire(nn.Module):
    """1x1 kernels that squeeze, then 1x1 and 3x3 kernels side by side."""

    def __init__(self, before: int, squeeze: int, expand: int) -> None:
        super().__init__()
        self.squeeze = nn.Sequential(nn.Conv2d(before, squeeze, 1), nn.ReLU(inplace=True))
        self.expand1x1 = nn.Sequential(nn.Conv2d(squeeze, expand, 1), nn.ReLU(inplace=True))
        self.expand3x3 = nn.Sequential(nn.Conv2d(squeeze, expand, 3, padding=1), nn.ReLU(inplace=True))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """2 * expand channels."""
        x = self.squeeze(x)
        return torch.cat([self.expand1x1(x), self.expand3x3(x)], 1)


def squeezenet(classes: int = 1000, rectified: bool = True) -> nn.Module:
    """Version 1.1 (Iandola et al. 2016); `rectified` as its authors have it."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, 2), nn.ReLU(inplace=True)]
    before = 64
    for number, squeeze in zip(range(2, 10), (16, 16, 32, 32, 48, 48, 64, 64), strict=True):
        if number in (2, 4, 6):
            layers.append(nn.MaxPool2d(3, 2))
        layers.append(Fire(before, squeeze, 4 * squeeze))
        before = 8 * squeeze
    layers += [nn.Dropout(0.5), nn.Conv2d(before, classes, 1)]
    if rectified:
        layers.append(nn.ReLU(inplace=True))
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def turned(array: NDArray[np.float32]) -> torch.Tensor:
    """Weights as PyTorch has them.

    Kernels are turned from (height, width, in, out) to (out, in, height, width), matrices transposed.
    """
    axes: dict[int, tuple[int, ...]] = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}
    return torch.from_numpy(array.transpose(axes[array.ndim]).copy())


BUILDERS = {
    function.__name__: function for function in (small_resnet, large_resnet, vgg, alexnet, squeezenet)
}


def load(network: nn.Module, variables: Mapping[str, Any]) -> nn.Module:
    """The network with residua's weights, which lie in the same order.

    The rows of a matrix that reads more than one pixel of every channel lie pixel by pixel, here channel by
    channel.
    """
    arrays = flatten(trainable(variables)).values()
    channels = 0
    with torch.no_grad():
        for parameter, array in zip(network.parameters(), arrays, strict=True):
            if array.ndim == 2 and len(array) > channels > 0 and len(array) % channels == 0:
                array = array.reshape(-1, channels, array.shape[1]).transpose(1, 0, 2).reshape(array.shape)
            channels = array.shape[-1]
            parameter.copy_(turned(array))
    return network
