"""Dropout, of numbers and of whole maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
from residua.layers.identity import Identity
from residua.layers.shapes import Shape, need_pictures
from residua.variables import Tree


@dataclass(frozen=True)
class Dropout(Layer):
    """Set a share `rate` of the numbers to zero and divide the others by 1 - rate (Srivastava et al. 2014).

    Variable: key (2,) uint32, a seed and a step. Randomness is data: the mask follows from the key, and
    the next step's key goes out with the statistics, so that a resumed run draws what it would have drawn.
    """

    rate: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.rate < 1:
            raise ValueError(f"Dropout.rate takes a share from 0 to below 1; it was given {self.rate}")

    def init(self, rng: np.random.Generator) -> Tree:
        """A seed from `rng`, step 0."""
        return {"key": np.array([rng.integers(2**32), 0], np.uint32)}

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x, and the next key."""
        y, saved = engine.dropout(x, v["key"], rate=self.rate)
        return y, saved, {"key": engine.apply(_next_key, v["key"])}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy through the same mask."""
        return engine.dropout_backward(dy, saved), {}

    def freeze(self, v: Tree) -> tuple[Layer, Tree]:
        """Nothing is dropped."""
        return Identity(), {}


@dataclass(frozen=True)
class Dropout2d(Dropout):
    """Set a share `rate` of the maps (H, W) to zero and divide the others by 1 - rate.

    Neighbouring pixels say much the same, so dropping single ones takes little away (Tompson et al. 2015,
    "Efficient object localization using convolutional networks", section 3.2). Variable: as of Dropout.
    """

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x, and the next key."""
        y, saved = engine.dropout_maps(x, v["key"], rate=self.rate)
        return y, saved, {"key": engine.apply(_next_key, v["key"])}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy through the same mask."""
        return engine.dropout_maps_backward(dy, saved), {}

    def output_shape(self, shape: Shape) -> Shape:
        """Unchanged."""
        need_pictures(self, shape)
        return shape


def _next_key(xp: Any, key: Array) -> Array:
    return key + xp.asarray([0, 1], xp.uint32)
