"""A layer under test: its passes with NumPy arrays on the outside, and its failures in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from residua.engines.numpy.engine import NumpyEngine
from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
from residua.testing.arrays import distance, host, host_tree
from residua.testing.gradients import compare_gradient
from residua.variables import Tree, flatten, trainable

MANY = 600  # numbers of x and variables together above which only a sample is tried one by one


@dataclass(frozen=True)
class LayerUnderTest:
    """A layer and the engine that it is tried on; `title` names it in messages."""

    layer: Layer
    engine: Engine = field(default_factory=NumpyEngine)
    title: str = ""

    @property
    def name(self) -> str:
        """How messages begin."""
        return self.title or type(self.layer).__name__

    def need(self, condition: bool, promise: str) -> None:
        """AssertionError with the broken promise, unless it was kept."""
        if not condition:
            raise AssertionError(f"{self.name}: {promise}")

    def same(self, promise: str, got: Array, expected: Array, tolerance: float, floor: float = 0.0) -> None:
        """AssertionError unless both arrays agree, relative to the largest number expected or `floor`."""
        gap = distance(got, expected, floor)
        self.need(gap <= tolerance, f"{promise}: relative difference {gap:.3g}, allowed {tolerance:.3g}")

    def forward(self, v: Tree, x: Array) -> tuple[Array, Any, dict[str, Array]]:
        """y, saved and the statistics by path."""
        result = self.layer.forward(self.engine, v, x)
        complete = isinstance(result, tuple) and len(result) == 3
        self.need(complete, "forward does not give the three results y, saved, stats")
        y, saved, stats = result
        self.need(isinstance(stats, Mapping), f"forward gave stats {type(stats).__name__}, not a dictionary")
        return host(self.engine, y), saved, host_tree(self.engine, stats)

    def backward(self, v: Tree, saved: Any, dy: Array) -> tuple[Array, dict[str, Array]]:
        """dx and the gradients by path."""
        result = self.layer.backward(self.engine, v, saved, dy)
        complete = isinstance(result, tuple) and len(result) == 2
        self.need(complete, "backward does not give the two results dx, grads")
        dx, grads = result
        self.need(isinstance(grads, Mapping), f"backward gave grads {type(grads).__name__}, not a dictionary")
        return host(self.engine, dx), host_tree(self.engine, grads)

    def check_stats(self, v: Tree, stats: Mapping[str, Array]) -> None:
        """Statistics replace variables that exist and are not trained."""
        variables, trained = flatten(v), flatten(trainable(v))
        for name, value in stats.items():
            self.need(name in variables, f"forward's stats name {name}, which is no variable")
            self.need(name not in trained, f"forward's stats name {name}, which receives a gradient")
            shape = np.shape(variables[name])
            self.need(value.shape == shape, f"forward's {name} is {value.shape}, the variable {shape}")

    def check_names(self, v: Tree, grads: Mapping[str, Array]) -> None:
        """Gradients are named and shaped like the trained variables."""
        trained = flatten(trainable(v))
        missing = [name for name in trained if name not in grads]
        self.need(not missing, f"backward gave no gradient for {', '.join(missing)}")
        extra = [name for name in grads if name not in trained]
        self.need(not extra, f"backward gave gradients for {', '.join(extra)}, which are not trained")
        for name, value in trained.items():
            shape = grads[name].shape
            self.need(shape == value.shape, f"the gradient by {name} is {shape}, the variable {value.shape}")


def check_gradients(
    subject: LayerUnderTest, v: Tree, x: Array, dy: Array, rng: np.random.Generator, tolerance: float
) -> None:
    """Hold dx and every gradient to central differences of forward."""
    _, saved, _ = subject.forward(v, x)
    dx, grads = subject.backward(v, saved, dy)
    subject.check_names(v, grads)
    flat = flatten(v)
    thorough = x.size + sum(value.size for value in flat.values()) <= MANY

    def by_variable(name: str) -> Any:
        # Rebuilt along the tree, so that branches without arrays stay.
        return lambda value: subject.forward(_replaced(v, name.split("."), value), x)[0]

    targets = [("dx", lambda value: subject.forward(v, value)[0], x, dx)]
    targets += [(f"the gradient by {name}", by_variable(name), flat[name], grads[name]) for name in grads]
    for what, respond, point, gradient in targets:
        compare_gradient(
            respond,
            point,
            dy,
            gradient,
            rng,
            tolerance=tolerance,
            what=f"{subject.name}: {what}",
            thorough=thorough,
        )


def _replaced(tree: Mapping[str, Any], path: list[str], value: Array) -> Tree:
    name, *rest = path
    return {**tree, name: _replaced(tree[name], rest, value) if rest else value}
