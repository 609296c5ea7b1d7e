"""Numbers multiplied by constants or by a weight for each channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
from residua.layers.shapes import Shape, need_shape
from residua.variables import Tree


@dataclass(frozen=True)
class ScaleShift(Layer):
    """y = x * weight + bias per channel: what a normalisation becomes when it is frozen."""

    channels: int
    relu: bool = False

    def init(self, rng: np.random.Generator) -> Tree:
        """The identity."""
        return {"weight": np.ones(self.channels, np.float32), "bias": np.zeros(self.channels, np.float32)}

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.scale_shift(x, v["weight"], v["bias"], relu=self.relu)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and the gradients by weight and bias."""
        dx, dscale, dshift = engine.scale_shift_backward(dy, v["weight"], saved, relu=self.relu)
        return dx, {"weight": dscale, "bias": dshift}

    def output_shape(self, shape: Shape) -> Shape:
        """Unchanged."""
        need_shape(self, shape, f"{self.channels} channels", shape[-1] == self.channels)
        return shape


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
