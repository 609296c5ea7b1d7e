"""Activations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from residua.engines.base import Array, Engine
from residua.layers.base import Layer
from residua.variables import Tree


@dataclass(frozen=True)
class ReLU(Layer):
    """max(x, 0) (Nair and Hinton 2010)."""

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.relu(x)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy where x was positive."""
        return engine.relu_backward(dy, saved), {}
