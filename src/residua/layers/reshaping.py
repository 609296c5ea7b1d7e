"""Layers that give numbers another shape, in reading order."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
from residua.layers.shapes import Shape, need_shape
from residua.variables import Tree


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
