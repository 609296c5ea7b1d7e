"""Capsule layers: Sabour, Frosst, Hinton 2017, "Dynamic routing between capsules", arXiv 1710.09829."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
from residua.layers.convolution import Conv2d
from residua.layers.parameters import weight_and_bias
from residua.layers.shapes import Shape, need_pictures, need_shape
from residua.variables import Tree


@dataclass(frozen=True)
class PrimaryCapsules(Layer):
    """A convolution whose channels are groups: (N, H, W, in_channels) -> squashed capsules (section 4).

    y: (N, H' * W' * capsules, dimension), each no longer than one. Variables: weight (kernel, kernel, in,
    capsules * dimension), normal with deviation sqrt(1 / fan in), and bias, zero.
    """

    in_channels: int
    capsules: int = 32
    dimension: int = 8
    kernel: int = 9
    stride: int = 2

    @property
    def convolution(self) -> Conv2d:
        """What gives the capsules' numbers, before they are squashed."""
        channels = self.capsules * self.dimension
        return Conv2d(self.in_channels, channels, self.kernel, self.stride, 0, bias=True)

    def init(self, rng: np.random.Generator) -> Tree:
        """Normal weights, bias zero."""
        channels = self.capsules * self.dimension
        shape = (self.kernel, self.kernel, self.in_channels, channels)
        fan_in = self.kernel * self.kernel * self.in_channels
        return weight_and_bias(rng, shape, fan_in, bias=channels, gain=1.0)

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, H' * W' * capsules, dimension)."""
        z, saved_conv, _ = self.convolution.forward(engine, v, x)
        y, saved_squash = engine.squash(z, dimension=self.dimension)
        return y, (saved_conv, saved_squash), {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and the gradients by weight and bias."""
        saved_conv, saved_squash = saved
        dz = engine.squash_backward(dy, saved_squash, dimension=self.dimension)
        return self.convolution.backward(engine, v, saved_conv, dz)

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, in) -> (H' * W' * capsules, dimension)."""
        need_pictures(self, shape, self.in_channels)
        need_shape(self, shape, f"pictures of at least {self.kernel} pixels", min(shape[:2]) >= self.kernel)
        height, width, _ = self.convolution.output_shape(shape)
        return (height * width * self.capsules, self.dimension)

    def multiply_adds(self, shape: Shape) -> int:
        """Those of the convolution."""
        return self.convolution.multiply_adds(shape)


@dataclass(frozen=True)
class DigitCapsules(Layer):
    """A capsule for each class, of all capsules below by routing with agreement (procedure 1).

    (N, in_capsules, in_dimension) -> (N, capsules, dimension), each shorter than one. The gradient goes
    through all `routings`. Variables: weight (in_capsules, in_dimension, capsules, dimension), normal; its
    deviation, capsules / sqrt(in_capsules * dimension), is ours: what comes out is then about as long as
    what goes in, however many capsules there are.
    """

    in_capsules: int
    in_dimension: int = 8
    capsules: int = 10
    dimension: int = 16
    routings: int = 3

    def init(self, rng: np.random.Generator) -> Tree:
        """Normal weights."""
        shape = (self.in_capsules, self.in_dimension, self.capsules, self.dimension)
        deviation = self.capsules / (self.in_capsules * self.dimension) ** 0.5
        return {"weight": rng.normal(0, deviation, shape).astype(np.float32, copy=False)}

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, capsules, dimension)."""
        predictions, saved_prediction = engine.predict_capsules(x, v["weight"])
        y, saved_routing = engine.route(predictions, routings=self.routings)
        return y, (saved_prediction, saved_routing), {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and the gradient by the weight."""
        saved_prediction, saved_routing = saved
        dpredictions = engine.route_backward(dy, saved_routing, routings=self.routings)
        dx, dweight = engine.predict_capsules_backward(dpredictions, v["weight"], saved_prediction)
        return dx, {"weight": dweight}

    def output_shape(self, shape: Shape) -> Shape:
        """(in_capsules, in_dimension) -> (capsules, dimension)."""
        wanted = (self.in_capsules, self.in_dimension)
        need_shape(self, shape, f"capsules {wanted}", tuple(shape) == wanted)
        return (self.capsules, self.dimension)

    def multiply_adds(self, shape: Shape) -> int:
        """The predictions; each routing sums them up, and all but the last compare them."""
        predictions = self.in_capsules * self.capsules * self.dimension
        return predictions * (self.in_dimension + 2 * self.routings - 1)


@dataclass(frozen=True)
class Lengths(Layer):
    """How long each capsule is: (N, ..., dimension) -> (N, ...)."""

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, ...)."""
        y, saved = engine.lengths(x)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy along each capsule."""
        return engine.lengths_backward(dy, saved), {}

    def output_shape(self, shape: Shape) -> Shape:
        """(..., dimension) -> (...,)."""
        need_shape(self, shape, "capsules (count, dimension)", len(shape) >= 2)
        return shape[:-1]


@dataclass(frozen=True)
class Shares(Layer):
    """|x| / sum of |x| over the last axis: the lengths of class capsules as probabilities."""

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.shares(x)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx."""
        return engine.shares_backward(dy, saved), {}
