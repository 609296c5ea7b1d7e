"""Residual networks for large pictures: ResNet-18 to ResNet-152.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (2015, arXiv 1512.03385), table 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from residua.layers import BatchNorm2d, Conv2d, ConvNorm, Layer, MaxPool2d, Sequential
from residua.models.architectures.heads import pooled_head
from residua.models.architectures.residual_blocks import block, preactivation_block

# Depth: the blocks of the four stages, and how many times the width a bottleneck's last layer gives; 1
# stands for the basic block of two 3x3 convolutions.
DEPTHS: dict[int, tuple[tuple[int, int, int, int], int]] = {
    18: ((2, 2, 2, 2), 1),
    34: ((3, 4, 6, 3), 1),
    50: ((3, 4, 6, 3), 4),
    101: ((3, 4, 23, 3), 4),
    152: ((3, 8, 36, 3), 4),
}


def _convolutions(before: int, width: int, stride: int, expansion: int) -> tuple[Conv2d, ...]:
    if expansion == 1:
        return (Conv2d(before, width, stride=stride), Conv2d(width, width))
    return (
        Conv2d(before, width, 1, 1, 0),
        Conv2d(width, width, stride=stride),
        Conv2d(width, width * expansion, 1, 1, 0),
    )


def large_resnet(
    *,
    depth: int,
    channels: int = 3,
    classes: int = 1000,
    width: int = 64,
    shortcut: Literal["A", "B"] = "B",
    stem: Literal["large", "small"] = "large",
    hidden: tuple[int, ...] = (),
    dropout: float = 0.0,
) -> Sequential:
    """A stem, four stages of basic blocks (18, 34) or bottlenecks (50, 101, 152), the mean, a linear layer.

    The stages have width, 2, 4 and 8 times width channels, bottlenecks four times as many at their ends;
    the second to fourth begin with stride 2. The large stem is a 7x7 convolution with stride 2 and 3x3 max
    pooling with stride 2, the small one a 3x3 convolution for small pictures, which would shrink away.
    `hidden` and `dropout` as in `small_resnet`. In a bottleneck the 3x3 convolution has the stride, as in
    torchvision and most published weights; the paper gives it to the first 1x1, which then reads only every
    fourth pixel.

    Raises ValueError for another depth.
    """
    layers, features = _stem_and_stages(
        depth,
        width,
        stem_layers(stem, channels, width),
        lambda convolutions, stride, _: block(convolutions, stride, shortcut),
    )
    return Sequential(layers | pooled_head(features, classes, hidden, dropout))


def large_preactivation_resnet(
    *,
    depth: int,
    channels: int = 3,
    classes: int = 1000,
    width: int = 64,
    shortcut: Literal["A", "B"] = "B",
    stem: Literal["large", "small"] = "large",
    hidden: tuple[int, ...] = (),
    dropout: float = 0.0,
) -> Sequential:
    """`large_resnet`, normalised and rectified before every convolution (He et al. 2016) and at the end."""
    layers, features = _stem_and_stages(
        depth,
        width,
        stem_layers(stem, channels, width),
        lambda convolutions, stride, first: preactivation_block(convolutions, stride, shortcut, first=first),
    )
    layers["norm"] = BatchNorm2d(features, relu=True)
    return Sequential(layers | pooled_head(features, classes, hidden, dropout))


def stem_layers(stem: Literal["large", "small"], channels: int, width: int) -> dict[str, Layer]:
    """The first layers: see `large_resnet`."""
    if stem == "large":
        return {"stem": ConvNorm(Conv2d(channels, width, 7, 2, 3)), "stem_pool": MaxPool2d(3, 2, 1)}
    return {"stem": ConvNorm(Conv2d(channels, width))}


def _stem_and_stages(
    depth: int,
    width: int,
    stem: dict[str, Layer],
    make_block: Callable[[tuple[Conv2d, ...], int, bool], Layer],
) -> tuple[dict[str, Layer], int]:
    """The layers before the head, and the features that they give.

    make_block(convolutions, stride, first): a block; `first` of all, or not. Raises ValueError for a depth
    that is not in the paper.
    """
    if depth not in DEPTHS:
        raise ValueError(f"depth is one of {', '.join(map(str, DEPTHS))}; it was given as {depth}")
    blocks, expansion = DEPTHS[depth]
    layers = dict(stem)
    features = width
    for stage, count in enumerate(blocks):
        members: dict[str, Layer] = {}
        for number in range(count):
            stride = 2 if stage and not number else 1
            convolutions = _convolutions(features, width << stage, stride, expansion)
            members[str(number)] = make_block(convolutions, stride, not stage and not number)
            features = convolutions[-1].out_channels
        layers[f"stage{stage + 1}"] = Sequential(members)
    return layers, features
