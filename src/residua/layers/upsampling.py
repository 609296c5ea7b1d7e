"""Larger pictures by repetition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
from residua.layers.shapes import Shape, need_pictures
from residua.variables import Tree


@dataclass(frozen=True)
class NearestUpsample2d(Layer):
    """Every pixel `factor` times in both directions."""

    factor: int = 2

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, factor * H, factor * W, C)."""
        y, saved = engine.upsample(x, factor=self.factor)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """The sum of dy over each pixel's copies."""
        return engine.upsample_backward(dy, saved, factor=self.factor), {}

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, C) -> (factor * H, factor * W, C)."""
        need_pictures(self, shape)
        return (self.factor * shape[0], self.factor * shape[1], shape[2])
