"""Convolution over pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
from residua.layers.parameters import weight_and_bias, weight_and_bias_grads
from residua.layers.shapes import Shape, need_pictures, window_counts
from residua.variables import Tree


@dataclass(frozen=True)
class Conv2d(Layer):
    """Convolve (N, H, W, in_channels) pictures with square kernels.

    Variables: weight (kernel, kernel, in, out), drawn with standard deviation sqrt(2 / fan in) (He et al.
    2015, "Delving deep into rectifiers", section 2.2), and bias (out,) where `bias` is set. `relu`
    rectifies the output: frozen networks use it.
    """

    in_channels: int
    out_channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    bias: bool = False
    relu: bool = False

    def init(self, rng: np.random.Generator) -> Tree:
        """He's normal weights, bias zero."""
        shape = (self.kernel, self.kernel, self.in_channels, self.out_channels)
        fan_in = self.kernel * self.kernel * self.in_channels
        return weight_and_bias(rng, shape, fan_in, self.out_channels if self.bias else 0)

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, H', W', out_channels)."""
        y, saved = engine.conv2d(
            x, v["weight"], v.get("bias"), stride=self.stride, padding=self.padding, relu=self.relu
        )
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and the gradients by weight and bias."""
        dx, dweight, dbias = engine.conv2d_backward(
            dy, v["weight"], saved, stride=self.stride, padding=self.padding, relu=self.relu
        )
        return dx, weight_and_bias_grads(v, dweight, dbias)

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, in) -> (H', W', out)."""
        need_pictures(self, shape, self.in_channels)
        return (*window_counts(self, shape), self.out_channels)

    def multiply_adds(self, shape: Shape) -> int:
        """kernel * kernel * in * out for every output pixel."""
        height, width, channels = self.output_shape(shape)
        return height * width * channels * self.kernel * self.kernel * self.in_channels
