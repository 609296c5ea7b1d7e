"""Layers that move numbers about without changing them, and the identity."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from residua.engines.base import Array, Engine
from residua.layers.base import Layer, Shape, need_shape
from residua.variables import Tree


@dataclass(frozen=True)
class Identity(Layer):
    """x itself."""

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """x."""
        return x, None, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy."""
        return dy, {}


@dataclass(frozen=True)
class Flatten(Layer):
    """(N, ...) -> (N, features), in reading order: rows, columns, channels."""

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, features)."""
        y, saved = engine.flatten(x)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy in x's shape."""
        return engine.flatten_backward(dy, saved), {}

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, C) -> (H * W * C,)."""
        return (prod(shape),)


@dataclass(frozen=True)
class SubsamplePad(Layer):
    """Every stride-th pixel, with zero channels on both sides: shortcut A (He et al. 2015, section 3.3).

    An odd number of zero channels puts the greater half behind.
    """

    in_channels: int
    out_channels: int
    stride: int = 2

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, ceil(H / stride), ceil(W / stride), out_channels)."""
        y, saved = engine.subsample_pad(x, channels=self.out_channels, stride=self.stride)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy at the pixels and channels that were kept."""
        dx = engine.subsample_pad_backward(dy, saved, channels=self.out_channels, stride=self.stride)
        return dx, {}

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, in) -> (ceil(H / stride), ceil(W / stride), out)."""
        fits = len(shape) == 3 and shape[2] == self.in_channels
        need_shape(self, shape, f"pictures (H, W, {self.in_channels})", fits)
        wanted = f"at most {self.out_channels} channels, as many as it gives"
        need_shape(self, shape, wanted, self.in_channels <= self.out_channels)
        return (-(-shape[0] // self.stride), -(-shape[1] // self.stride), self.out_channels)
