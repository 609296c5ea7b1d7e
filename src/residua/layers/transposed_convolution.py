"""Transposed convolution: larger pictures from smaller ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
from residua.layers.parameters import weight_and_bias, weight_and_bias_grads
from residua.layers.shapes import Shape, need_pictures, need_shape
from residua.variables import Tree


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
        return weight_and_bias(rng, shape, fan_in, self.out_channels if self.bias else 0)

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
        return dx, weight_and_bias_grads(v, dweight, dbias)

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, in) -> ((H - 1) * stride + kernel - 2 * padding + extra, likewise, out)."""
        need_pictures(self, shape, self.in_channels)
        more = self.kernel - 2 * self.padding + self.extra
        height, width = ((side - 1) * self.stride + more for side in shape[:2])
        need_shape(self, shape, "larger pictures, of which padding leaves something", min(height, width) > 0)
        return (height, width, self.out_channels)

    def multiply_adds(self, shape: Shape) -> int:
        """kernel * kernel * in * out for every input pixel."""
        return shape[0] * shape[1] * self.kernel * self.kernel * self.in_channels * self.out_channels
