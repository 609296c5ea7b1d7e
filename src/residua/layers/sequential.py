"""One layer after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer, Row, sparse
from residua.layers.identity import Identity
from residua.layers.shapes import Shape, within
from residua.variables import Tree


@dataclass(frozen=True)
class Sequential(Layer):
    """One layer after the other; the variables of each lie under its name."""

    layers: dict[str, Layer] = field(default_factory=dict)

    def init(self, rng: np.random.Generator) -> Tree:
        """Each layer's variables under its name."""
        return {name: layer.init(rng) for name, layer in self.layers.items()}

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """The last layer's y."""
        saved, stats = {}, {}
        for name, layer in self.layers.items():
            with within(name):
                x, saved[name], stats[name] = layer.forward(engine, v[name], x)
        return x, saved, sparse(stats)

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """The first layer's dx, and every layer's gradients under its name."""
        grads = {}
        for name, layer in reversed(self.layers.items()):
            dy, grads[name] = layer.backward(engine, v[name], saved[name], dy)
        return dy, sparse(dict(reversed(grads.items())))

    def infer(self, engine: Engine, v: Tree, x: Array) -> Array:
        """The last layer's y."""
        for name, layer in self.layers.items():
            with within(name):
                x = layer.infer(engine, v[name], x)
        return x

    def freeze(self, v: Tree) -> tuple[Layer, Tree]:
        """Every layer frozen; those that have become the identity are gone."""
        frozen = {name: layer.freeze(v[name]) for name, layer in self.layers.items()}
        remaining = {name: pair for name, pair in frozen.items() if not isinstance(pair[0], Identity)}
        return Sequential({name: pair[0] for name, pair in remaining.items()}), {
            name: pair[1] for name, pair in remaining.items()
        }

    def output_shape(self, shape: Shape) -> Shape:
        """Through all layers; a ShapeError names the one that does not fit."""
        for name, layer in self.layers.items():
            with within(name):
                shape = layer.output_shape(shape)
        return shape

    def multiply_adds(self, shape: Shape) -> int:
        """The sum over the layers."""
        return sum(row.multiply_adds for row in self.rows(shape))

    def rows(self, shape: Shape, name: str = "") -> Iterator[Row]:
        """Every layer's rows."""
        for key, layer in self.layers.items():
            yield from layer.rows(shape, f"{name}.{key}" if name else key)
            shape = layer.output_shape(shape)
