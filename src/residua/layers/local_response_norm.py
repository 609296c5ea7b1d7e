"""Normalisation by neighbouring channels, as AlexNet has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
from residua.variables import Tree


@dataclass(frozen=True)
class LocalResponseNorm(Layer):
    """x / (offset + alpha * sum of x² over neighbouring channels) ** beta.

    Krizhevsky et al. 2012, section 3.3, whose constants are the defaults. `size` channels are summed, the
    own one in their middle; beyond the first and last lies zero. (PyTorch's layer divides alpha by size.)
    """

    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    offset: float = 2.0

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.local_response_norm(
            x, size=self.size, alpha=self.alpha, beta=self.beta, offset=self.offset
        )
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx."""
        dx = engine.local_response_norm_backward(
            dy, saved, size=self.size, alpha=self.alpha, beta=self.beta, offset=self.offset
        )
        return dx, {}
