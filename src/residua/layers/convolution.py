"""Convolution over pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer, Shape, need_shape
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
        deviation = (2 / (self.kernel * self.kernel * self.in_channels)) ** 0.5
        v: Tree = {"weight": rng.normal(0, deviation, shape).astype(np.float32, copy=False)}
        if self.bias:
            v["bias"] = np.zeros(self.out_channels, np.float32)
        return v

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
        grads = {"weight": dweight, "bias": dbias}
        return dx, {name: grads[name] for name in v}

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, in) -> (H', W', out)."""
        fits = len(shape) == 3 and shape[2] == self.in_channels
        need_shape(self, shape, f"pictures (H, W, {self.in_channels})", fits)
        height, width, _ = shape
        least = self.kernel - 2 * self.padding
        need_shape(self, shape, f"pictures of at least {least} pixels", min(height, width) >= least)
        return (
            (height + 2 * self.padding - self.kernel) // self.stride + 1,
            (width + 2 * self.padding - self.kernel) // self.stride + 1,
            self.out_channels,
        )

    def multiply_adds(self, shape: Shape) -> int:
        """kernel * kernel * in * out for every output pixel."""
        height, width, channels = self.output_shape(shape)
        return height * width * channels * self.kernel * self.kernel * self.in_channels
