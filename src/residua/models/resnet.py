"""Residual networks for small pictures, and the plain networks that they are compared with.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (2015, arXiv 1512.03385), section 4.2.
"""

from __future__ import annotations

from typing import Literal

from residua.layers import (
    Conv2d,
    ConvNorm,
    Dropout,
    GlobalAveragePool,
    Identity,
    Layer,
    Linear,
    ReLU,
    Residual,
    Sequential,
    SubsamplePad,
)


def _block(before: int, after: int, stride: int, shortcut: Literal["A", "B"] | None) -> Residual:
    body = Sequential(
        {
            "conv1": ConvNorm(Conv2d(before, after, stride=stride)),
            "conv2": ConvNorm(Conv2d(after, after), relu=False),
        }
    )
    if shortcut is None:
        return Residual(body, None)
    if before == after and stride == 1:
        return Residual(body, Identity())
    if shortcut == "A":
        return Residual(body, SubsamplePad(before, after, stride))
    return Residual(body, ConvNorm(Conv2d(before, after, 1, stride, 0), relu=False))


def small_resnet(
    *,
    depth: int,
    channels: int = 3,
    classes: int = 10,
    width: int = 16,
    shortcut: Literal["A", "B"] | None = "A",
    hidden: tuple[int, ...] = (),
    dropout: float = 0.0,
) -> Sequential:
    """A network of 6n + 2 layers: a 3x3 convolution, three stages of n blocks, the mean, a linear layer.

    The stages have width, 2 width and 4 width channels; the second and third begin with stride 2.
    `shortcut` None makes the plain network. `hidden` puts fully connected layers with ReLU before the
    last, `dropout` drops that share of what the last layer reads.

    Raises ValueError for a depth that is not 6n + 2.
    """
    blocks, rest = divmod(depth - 2, 6)
    if rest or blocks < 1:
        raise ValueError(f"depth is 6n + 2 (8, 14, 20, ...); it was given as {depth}")
    layers: dict[str, Layer] = {"stem": ConvNorm(Conv2d(channels, width))}
    features = width
    for stage in range(3):
        after = width << stage
        members: dict[str, Layer] = {}
        for number in range(blocks):
            stride = 2 if stage and not number else 1
            members[str(number)] = _block(features, after, stride, shortcut)
            features = after
        layers[f"stage{stage + 1}"] = Sequential(members)
    return Sequential(layers | head(features, classes, hidden, dropout))


def head(features: int, classes: int, hidden: tuple[int, ...], dropout: float) -> dict[str, Layer]:
    """What turns the last maps into logits: the mean, `hidden` layers with ReLU, dropout, a linear layer."""
    layers: dict[str, Layer] = {"pool": GlobalAveragePool()}
    for number, units in enumerate(hidden, start=1):
        layers[f"hidden{number}"] = Linear(features, units, gain=2.0)
        layers[f"relu{number}"] = ReLU()
        features = units
    if dropout:
        layers["dropout"] = Dropout(dropout)
    return layers | {"head": Linear(features, classes)}
