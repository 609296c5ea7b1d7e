"""The layer that does nothing: the shortcut of most residual blocks, and dropout when it is frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
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
