"""The fully connected layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
from residua.layers.parameters import weight_and_bias, weight_and_bias_grads
from residua.layers.shapes import Shape, need_shape
from residua.variables import Tree


@dataclass(frozen=True)
class Linear(Layer):
    """x @ weight + bias: (N, in_features) -> (N, out_features).

    Variables: weight (in, out), normal with deviation sqrt(gain / in), and bias (out,), zero. A gain of 2
    keeps the size of signals that a ReLU follows (He et al. 2015), 1 that of logits.
    """

    in_features: int
    out_features: int
    bias: bool = True
    gain: float = 1.0

    def init(self, rng: np.random.Generator) -> Tree:
        """Normal weights, bias zero."""
        shape = (self.in_features, self.out_features)
        return weight_and_bias(
            rng, shape, self.in_features, self.out_features if self.bias else 0, gain=self.gain
        )

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, out_features)."""
        y, saved = engine.linear(x, v["weight"], v.get("bias"))
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and the gradients by weight and bias."""
        dx, dweight, dbias = engine.linear_backward(dy, v["weight"], saved)
        return dx, weight_and_bias_grads(v, dweight, dbias)

    def output_shape(self, shape: Shape) -> Shape:
        """(in,) -> (out,)."""
        need_shape(self, shape, f"features ({self.in_features},)", shape == (self.in_features,))
        return (self.out_features,)

    def multiply_adds(self, shape: Shape) -> int:
        """in * out."""
        return self.in_features * self.out_features
