"""Pooling: maxima and means over windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
from residua.layers.shapes import Shape, need_pictures, need_shape, window_counts
from residua.variables import Tree


@dataclass(frozen=True)
class _WindowPool(Layer):
    """What both pools share: kernel, stride and padding in pixels."""

    kernel: int = 2
    stride: int = 2
    padding: int = 0

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, C) -> (H', W', C); a window that does not fit whole is left out."""
        need_pictures(self, shape)
        wanted = (
            f"padding of at most half its kernel of {self.kernel}, so that every window meets the picture"
        )
        need_shape(self, shape, wanted, 2 * self.padding <= self.kernel)
        return (*window_counts(self, shape), shape[2])


@dataclass(frozen=True)
class MaxPool2d(_WindowPool):
    """The largest value of each window; the gradient goes to the first of equal ones."""

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, H', W', C)."""
        y, saved = engine.max_pool(x, kernel=self.kernel, stride=self.stride, padding=self.padding)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy at the places of the largest values."""
        dx = engine.max_pool_backward(dy, saved, kernel=self.kernel, stride=self.stride, padding=self.padding)
        return dx, {}


@dataclass(frozen=True)
class AveragePool2d(_WindowPool):
    """The mean of each window; padding counts as zeros, or by option not at all."""

    count_padding: bool = True

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, H', W', C)."""
        pool = engine.average_pool if self.count_padding else engine.average_pool_inside
        y, saved = pool(x, kernel=self.kernel, stride=self.stride, padding=self.padding)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy spread evenly over each window."""
        spread = engine.average_pool_backward if self.count_padding else engine.average_pool_inside_backward
        return spread(dy, saved, kernel=self.kernel, stride=self.stride, padding=self.padding), {}


@dataclass(frozen=True)
class GlobalAveragePool(Layer):
    """(N, H, W, C) -> (N, C): the mean over each picture (Lin et al. 2014, section 3.2)."""

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, C)."""
        y, saved = engine.global_average_pool(x)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy spread evenly over each picture."""
        return engine.global_average_pool_backward(dy, saved), {}

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, C) -> (C,)."""
        need_pictures(self, shape)
        return shape[2:]
