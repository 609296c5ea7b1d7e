"""Residual blocks, and the shortcut without weights for those that change the shape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer, Row, sparse
from residua.layers.identity import Identity
from residua.layers.shapes import Shape, need_pictures, need_shape, within
from residua.variables import Tree


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


@dataclass(frozen=True)
class SubsamplePad(Layer):
    """Every stride-th pixel, with zero channels on both sides: shortcut A (He et al. 2015, section 3.3).

    An odd number of zero channels puts the greater half behind.
    """

    in_channels: int
    out_channels: int
    stride: int = 2

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, ceil(H / stride), ceil(W / stride), out_channels)."""
        y, saved = engine.subsample_pad(x, channels=self.out_channels, stride=self.stride)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy at the pixels and channels that were kept."""
        dx = engine.subsample_pad_backward(dy, saved, channels=self.out_channels, stride=self.stride)
        return dx, {}

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, in) -> (ceil(H / stride), ceil(W / stride), out)."""
        need_pictures(self, shape, self.in_channels)
        wanted = f"at most {self.out_channels} channels, as many as it gives"
        need_shape(self, shape, wanted, self.in_channels <= self.out_channels)
        return (-(-shape[0] // self.stride), -(-shape[1] // self.stride), self.out_channels)
