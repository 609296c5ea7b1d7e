"""Layers that move numbers about without changing them, the identity, and a constant factor."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from residua.engines.vocabulary.core import Array, Engine
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


@dataclass(frozen=True)
class Reshape(Layer):
    """(N, ...) -> (N, *shape), in reading order."""

    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "shape", tuple(self.shape))  # a file gives a list
        if not self.shape or not all(type(side) is int and side > 0 for side in self.shape):
            raise ValueError(f"Reshape.shape takes whole numbers of 1 or more; it was given {self.shape}")

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, *shape)."""
        y, saved = engine.reshape(x, shape=self.shape)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy in x's shape."""
        return engine.reshape_backward(dy, saved, shape=self.shape), {}

    def output_shape(self, shape: Shape) -> Shape:
        """The new shape."""
        need_shape(self, shape, f"{prod(self.shape)} numbers", prod(shape) == prod(self.shape))
        return self.shape


@dataclass(frozen=True)
class MultiplyConstant(Layer):
    """x times a constant, which is not trained."""

    constant: float

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        return engine.scale([x], self.constant)[0], None, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy times the constant."""
        return engine.scale([dy], self.constant)[0], {}
