"""Convolution over pictures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer, added_later
from residua.layers.parameters import weight_and_bias, weight_and_bias_grads
from residua.layers.shapes import Shape, need_pictures, window_counts
from residua.variables import Tree


@dataclass(frozen=True)
class Conv2d(Layer):
    """Convolve (N, H, W, in_channels) pictures with square kernels.

    Variables: weight (kernel, kernel, in, out), drawn with standard deviation sqrt(gain / fan in), of which
    2 keeps the size of rectified signals (He et al. 2015, "Delving deep into rectifiers", section 2.2), and
    bias (out,) where `bias` is set. `relu` rectifies the output: frozen networks use it. `fixed`: the weight
    is named fixed_weight and is not trained; no gradient by it is computed. `identity`: as many kernels as
    channels come in, the first, begin as the identity (Zagoruyko and Komodakis 2017, "DiracNets", arXiv
    1706.00388), the others with a variance of 1 / (3 fan in).
    """

    in_channels: int
    out_channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    bias: bool = False
    relu: bool = False
    fixed: bool = added_later(False)
    identity: bool = added_later(False)
    gain: float = added_later(2.0)

    def init(self, rng: np.random.Generator) -> Tree:
        """Normal weights, bias zero."""
        shape = (self.kernel, self.kernel, self.in_channels, self.out_channels)
        fan_in = self.kernel * self.kernel * self.in_channels
        gain = 1 / 3 if self.identity else self.gain
        v = weight_and_bias(rng, shape, fan_in, self.out_channels if self.bias else 0, gain=gain)
        if self.identity:
            middle, same = self.kernel // 2, range(min(self.in_channels, self.out_channels))
            v["weight"][..., : len(same)] = 0
            v["weight"][middle, middle, same, same] = 1
        return {"fixed_weight" if self.fixed and name == "weight" else name: a for name, a in v.items()}

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, H', W', out_channels)."""
        y, saved = engine.conv2d(
            x, self.weight_of(v), v.get("bias"), stride=self.stride, padding=self.padding, relu=self.relu
        )
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and the gradients by weight and bias."""
        dx, dweight, dbias = engine.conv2d_backward(
            dy, self.weight_of(v), saved, stride=self.stride, padding=self.padding, relu=self.relu
        )
        return dx, weight_and_bias_grads(v, dweight, dbias)

    def weight_of(self, v: Tree) -> Array:
        """The weight, trained or fixed."""
        return v["fixed_weight" if self.fixed else "weight"]

    def freeze(self, v: Tree) -> tuple[Layer, Tree]:
        """Itself; of a fixed weight an ordinary one."""
        if not self.fixed:
            return self, v
        others = {name: array for name, array in v.items() if name != "fixed_weight"}
        return replace(self, fixed=False), {"weight": v["fixed_weight"], **others}

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, in) -> (H', W', out)."""
        need_pictures(self, shape, self.in_channels)
        return (*window_counts(self, shape), self.out_channels)

    def multiply_adds(self, shape: Shape) -> int:
        """kernel * kernel * in * out for every output pixel."""
        height, width, channels = self.output_shape(shape)
        return height * width * channels * self.kernel * self.kernel * self.in_channels
