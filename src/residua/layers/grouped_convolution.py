"""Convolutions whose channels do not see all others: in groups, and each on its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
from residua.layers.convolution import Conv2d
from residua.layers.parameters import weight_and_bias, weight_and_bias_grads
from residua.layers.shapes import Shape
from residua.variables import Tree


@dataclass(frozen=True)
class GroupedConv2d(Layer):
    """A convolution whose channels see only those of their own group (Krizhevsky et al. 2012, section 3.2).

    Variables: weight (kernel, kernel, in / groups, out), of which each group has its share of `out`, and
    bias (out,) where `bias` is set. Otherwise as Conv2d.
    """

    in_channels: int
    out_channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    groups: int = 2
    bias: bool = False
    relu: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("in_channels", "out_channels"):
            if getattr(self, name) % self.groups:
                raise ValueError(
                    f"GroupedConv2d.{name} takes a multiple of the {self.groups} groups; "
                    f"it was given {getattr(self, name)}"
                )

    def init(self, rng: np.random.Generator) -> Tree:
        """He's normal weights, bias zero."""
        before = self.in_channels // self.groups
        shape = (self.kernel, self.kernel, before, self.out_channels)
        return weight_and_bias(rng, shape, self.kernel**2 * before, self.out_channels if self.bias else 0)

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, H', W', out_channels)."""
        y, saved = engine.grouped_conv2d(
            x,
            v["weight"],
            v.get("bias"),
            groups=self.groups,
            stride=self.stride,
            padding=self.padding,
            relu=self.relu,
        )
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and the gradients by weight and bias."""
        dx, dweight, dbias = engine.grouped_conv2d_backward(
            dy,
            v["weight"],
            saved,
            groups=self.groups,
            stride=self.stride,
            padding=self.padding,
            relu=self.relu,
        )
        return dx, weight_and_bias_grads(v, dweight, dbias)

    def _whole(self) -> Conv2d:
        return Conv2d(self.in_channels, self.out_channels, self.kernel, self.stride, self.padding)

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, in) -> (H', W', out)."""
        return self._whole().output_shape(shape)

    def multiply_adds(self, shape: Shape) -> int:
        """kernel * kernel * in / groups * out for every output pixel."""
        return self._whole().multiply_adds(shape) // self.groups


@dataclass(frozen=True)
class DepthwiseConv2d(Layer):
    """Every channel convolved with a kernel of its own (Howard et al. 2017, "MobileNets", section 3.1).

    Variables: weight (kernel, kernel, channels), and bias (channels,) where `bias` is set.
    """

    channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    bias: bool = False
    relu: bool = False

    def init(self, rng: np.random.Generator) -> Tree:
        """He's normal weights, bias zero."""
        shape = (self.kernel, self.kernel, self.channels)
        return weight_and_bias(rng, shape, self.kernel**2, self.channels if self.bias else 0)

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, H', W', channels)."""
        y, saved = engine.depthwise_conv2d(
            x, v["weight"], v.get("bias"), stride=self.stride, padding=self.padding, relu=self.relu
        )
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and the gradients by weight and bias."""
        dx, dweight, dbias = engine.depthwise_conv2d_backward(
            dy, v["weight"], saved, stride=self.stride, padding=self.padding, relu=self.relu
        )
        return dx, weight_and_bias_grads(v, dweight, dbias)

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, channels) -> (H', W', channels)."""
        same = Conv2d(self.channels, self.channels, self.kernel, self.stride, self.padding)
        return same.output_shape(shape)

    def multiply_adds(self, shape: Shape) -> int:
        """kernel * kernel for every output number."""
        height, width, channels = self.output_shape(shape)
        return height * width * channels * self.kernel * self.kernel
