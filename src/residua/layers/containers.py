"""Containers: layers made of layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer, Row, Shape, need_shape, sparse, within
from residua.layers.reshaping import Identity
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
        kept = {name: pair for name, pair in frozen.items() if not isinstance(pair[0], Identity)}
        return Sequential({name: pair[0] for name, pair in kept.items()}), {
            name: pair[1] for name, pair in kept.items()
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


@dataclass(frozen=True)
class Residual(Layer):
    """relu(body(x) + shortcut(x)) (He et al. 2015, equations 1 and 2); without a shortcut relu(body(x)).

    The shortcut is Identity where shapes stay; SubsamplePad (option A) or a 1x1 ConvNorm (option B) where
    they change; None makes the plain network that residual networks are compared with.
    """

    body: Layer
    shortcut: Layer | None = field(default_factory=Identity)

    def init(self, rng: np.random.Generator) -> Tree:
        """The variables of body and shortcut."""
        v = {"body": self.body.init(rng)}
        return v if self.shortcut is None else v | {"shortcut": self.shortcut.init(rng)}

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like the body's."""
        if self.shortcut is None:
            with within("body"):
                a, saved_a, stats_a = self.body.forward(engine, v["body"], x)
            y, saved_y = engine.relu(a)
            return y, (saved_a, saved_y), sparse({"body": stats_a})
        x = engine.share(x)
        with within("body"):
            a, saved_a, stats_a = self.body.forward(engine, v["body"], x)
        with within("shortcut"):
            b, saved_b, stats_b = self.shortcut.forward(engine, v["shortcut"], x)
        y, saved_y = engine.add_relu(a, b)
        return y, (saved_a, saved_b, saved_y), sparse({"body": stats_a, "shortcut": stats_b})

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """The sum of both branches' dx, and their gradients."""
        if self.shortcut is None:
            saved_a, saved_y = saved
            dx, grads_a = self.body.backward(engine, v["body"], saved_a, engine.relu_backward(dy, saved_y))
            return dx, sparse({"body": grads_a})
        saved_a, saved_b, saved_y = saved
        dsum = engine.add_relu_backward(dy, saved_y)
        da, grads_a = self.body.backward(engine, v["body"], saved_a, dsum)
        db, grads_b = self.shortcut.backward(engine, v["shortcut"], saved_b, dsum)
        return engine.add(da, db), sparse({"body": grads_a, "shortcut": grads_b})

    def infer(self, engine: Engine, v: Tree, x: Array) -> Array:
        """y."""
        if self.shortcut is None:
            with within("body"):
                a = self.body.infer(engine, v["body"], x)
            return engine.relu(a)[0]
        x = engine.share(x)
        with within("body"):
            a = self.body.infer(engine, v["body"], x)
        with within("shortcut"):
            b = self.shortcut.infer(engine, v["shortcut"], x)
        return engine.add_relu(a, b)[0]

    def freeze(self, v: Tree) -> tuple[Layer, Tree]:
        """Both branches frozen."""
        body, frozen = self.body.freeze(v["body"])
        if self.shortcut is None:
            return Residual(body, None), {"body": frozen}
        shortcut, frozen_shortcut = self.shortcut.freeze(v["shortcut"])
        return Residual(body, shortcut), {"body": frozen, "shortcut": frozen_shortcut}

    def output_shape(self, shape: Shape) -> Shape:
        """The body's, which the shortcut's must equal."""
        with within("body"):
            after = self.body.output_shape(shape)
        if self.shortcut is not None:
            with within("shortcut"):
                beside = self.shortcut.output_shape(shape)
            wanted = f"body and shortcut of one shape (the body gives {after}, the shortcut {beside})"
            need_shape(self, shape, wanted, after == beside)
        return after

    def multiply_adds(self, shape: Shape) -> int:
        """Both branches'."""
        return sum(row.multiply_adds for row in self.rows(shape))

    def rows(self, shape: Shape, name: str = "") -> Iterator[Row]:
        """The rows of both branches."""
        prefix = f"{name}." if name else ""
        yield from self.body.rows(shape, prefix + "body")
        if self.shortcut is not None:
            yield from self.shortcut.rows(shape, prefix + "shortcut")
