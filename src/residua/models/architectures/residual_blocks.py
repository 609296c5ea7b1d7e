"""What residual networks for small and for large pictures are made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from residua.layers import (
    Add,
    BatchNorm2d,
    Conv2d,
    ConvNorm,
    Identity,
    Layer,
    Residual,
    Sequential,
    SubsamplePad,
)

Shortcut = Literal["A", "B"] | None


def block(convolutions: Sequence[Conv2d], stride: int, shortcut: Shortcut) -> Residual:
    """relu(body + shortcut), every convolution normalised (He et al. 2015, section 3.2).

    `stride` is that of the whole body. `shortcut` says what stands beside a body that changes the shape: A,
    pixels left out and zero channels added; B, a 1x1 convolution. None: nothing, anywhere.
    """
    last = len(convolutions)
    body = Sequential(
        {
            f"conv{number}": ConvNorm(conv, relu=number < last)
            for number, conv in enumerate(convolutions, start=1)
        }
    )
    if shortcut is None:
        return Residual(body, None)
    shortcut_layer = _shortcut_layer(convolutions, stride, shortcut)
    return Residual(
        body, ConvNorm(shortcut_layer, relu=False) if isinstance(shortcut_layer, Conv2d) else shortcut_layer
    )


def preactivation_block(
    convolutions: Sequence[Conv2d], stride: int, shortcut: Literal["A", "B"], *, first: bool
) -> Layer:
    """body + shortcut, with normalisation and ReLU before every convolution instead of behind it.

    He et al. 2016, Identity Mappings in Deep Residual Networks, figure 4e. What changes the shape reads the
    activated x in both branches, as in the authors' code; elsewhere the sum stays untouched from block to
    block. The `first` block reads what the stem has activated already (the paper's appendix).
    """
    *inner, outer = convolutions
    body: dict[str, Layer] = {f"conv{number}": ConvNorm(conv) for number, conv in enumerate(inner, start=1)}
    body[f"conv{len(convolutions)}"] = outer
    shortcut_layer = _shortcut_layer(convolutions, stride, shortcut)
    norm = {"norm": BatchNorm2d(convolutions[0].in_channels, relu=True)}
    if first:
        return Add({"body": Sequential(body), "shortcut": shortcut_layer})
    if isinstance(shortcut_layer, Identity):
        return Add({"body": Sequential(norm | body), "shortcut": shortcut_layer})
    return Sequential(norm | {"add": Add({"body": Sequential(body), "shortcut": shortcut_layer})})


def _shortcut_layer(convolutions: Sequence[Conv2d], stride: int, shortcut: Literal["A", "B"]) -> Layer:
    before, after = convolutions[0].in_channels, convolutions[-1].out_channels
    if before == after and stride == 1:
        return Identity()
    if shortcut == "A":
        return SubsamplePad(before, after, stride)
    return Conv2d(before, after, 1, stride, 0)
