"""Residual networks for small pictures, and the plain networks that they are compared with.

He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition (2015, arXiv 1512.03385), section 4.2.
"""

from __future__ import annotations

from residua.layers import BatchNorm2d, Conv2d, ConvNorm, Layer, Sequential
from residua.models.architectures.heads import pooled_head
from residua.models.architectures.residual_blocks import Shortcut, block, preactivation_block


def small_resnet(
    *,
    depth: int,
    channels: int = 3,
    classes: int = 10,
    width: int = 16,
    shortcut: Shortcut = "A",
    preactivation: bool = False,
    hidden: tuple[int, ...] = (),
    dropout: float = 0.0,
) -> Sequential:
    """A network of 6n + 2 layers: a 3x3 convolution, three stages of n blocks, the mean, a linear layer.

    The stages have width, 2 width and 4 width channels; the second and third begin with stride 2.
    `shortcut` None makes the plain network. `preactivation` normalises and rectifies before every
    convolution (He et al. 2016), and once more at the end. `hidden` puts fully connected layers with ReLU
    before the last, `dropout` drops that share of what the last layer reads.

    Raises ValueError for a depth that is not 6n + 2, and for pre-activation without shortcuts.
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
            convolutions = (Conv2d(features, after, stride=stride), Conv2d(after, after))
            if not preactivation:
                members[str(number)] = block(convolutions, stride, shortcut)
            elif shortcut is not None:
                first = not stage and not number
                members[str(number)] = preactivation_block(convolutions, stride, shortcut, first=first)
            else:
                raise ValueError("pre-activation is about what shortcuts carry: it needs shortcut A or B")
            features = after
        layers[f"stage{stage + 1}"] = Sequential(members)
    if preactivation:
        layers["norm"] = BatchNorm2d(features, relu=True)
    return Sequential(layers | pooled_head(features, classes, hidden, dropout))
