"""Transposed, grouped and depthwise convolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer, Shape, need_shape
from residua.layers.convolution import Conv2d
from residua.variables import Tree


def _draw(rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, bias: int) -> Tree:
    """He's normal weights; bias zero, for so many channels."""
    deviation = (2 / fan_in) ** 0.5
    v: Tree = {"weight": rng.normal(0, deviation, shape).astype(np.float32, copy=False)}
    return v | {"bias": np.zeros(bias, np.float32)} if bias else v


@dataclass(frozen=True)
class TransposedConv2d(Layer):
    """What a convolution does to gradients, forward: larger pictures from smaller ones.

    Zeiler et al. 2010, "Deconvolutional networks". Variables: weight (kernel, kernel, in, out), drawn with
    standard deviation sqrt(2 / fan in) where an output pixel reads kernel² / stride² places, and bias
    (out,) where `bias` is set. `extra` rows and columns, fewer than the stride, are added at the end.
    """

    in_channels: int
    out_channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    extra: int = 0
    bias: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, most in (("padding", self.kernel - 1), ("extra", self.stride - 1)):
            if getattr(self, name) > most:
                raise ValueError(
                    f"TransposedConv2d.{name} takes at most {most} here; it was given {getattr(self, name)}"
                )

    def init(self, rng: np.random.Generator) -> Tree:
        """He's normal weights, bias zero."""
        shape = (self.kernel, self.kernel, self.in_channels, self.out_channels)
        fan_in = self.in_channels * (self.kernel / self.stride) ** 2
        return _draw(rng, shape, fan_in, self.out_channels if self.bias else 0)

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, H', W', out_channels)."""
        y, saved = engine.transposed_conv2d(
            x, v["weight"], v.get("bias"), stride=self.stride, padding=self.padding, extra=self.extra
        )
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and the gradients by weight and bias."""
        dx, dweight, dbias = engine.transposed_conv2d_backward(
            dy, v["weight"], saved, stride=self.stride, padding=self.padding, extra=self.extra
        )
        grads = {"weight": dweight, "bias": dbias}
        return dx, {name: grads[name] for name in v}

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, in) -> ((H - 1) * stride + kernel - 2 * padding + extra, likewise, out)."""
        fits = len(shape) == 3 and shape[2] == self.in_channels
        need_shape(self, shape, f"pictures (H, W, {self.in_channels})", fits)
        more = self.kernel - 2 * self.padding + self.extra
        height, width = ((side - 1) * self.stride + more for side in shape[:2])
        need_shape(self, shape, "larger pictures, of which padding leaves something", min(height, width) > 0)
        return (height, width, self.out_channels)

    def multiply_adds(self, shape: Shape) -> int:
        """kernel * kernel * in * out for every input pixel."""
        return shape[0] * shape[1] * self.kernel * self.kernel * self.in_channels * self.out_channels


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
        return _draw(rng, shape, self.kernel**2 * before, self.out_channels if self.bias else 0)

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
        grads = {"weight": dweight, "bias": dbias}
        return dx, {name: grads[name] for name in v}

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
        return _draw(rng, shape, self.kernel**2, self.channels if self.bias else 0)

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
        grads = {"weight": dweight, "bias": dbias}
        return dx, {name: grads[name] for name in v}

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, channels) -> (H', W', channels)."""
        same = Conv2d(self.channels, self.channels, self.kernel, self.stride, self.padding)
        return same.output_shape(shape)

    def multiply_adds(self, shape: Shape) -> int:
        """kernel * kernel for every output number."""
        height, width, channels = self.output_shape(shape)
        return height * width * channels * self.kernel * self.kernel
