"""Containers whose layers stand beside one another: concatenated, added, or each with channels of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer, Row, sparse
from residua.layers.shapes import Shape, need_shape, within
from residua.variables import Tree


@dataclass(frozen=True)
class _Branches(Layer):
    """What the containers share: a branch's variables lie under its name; how x is divided is theirs."""

    branches: dict[str, Layer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.branches:
            raise ValueError(f"{type(self).__name__} takes one or more branches; it was given none")

    # What a container overrides; here, every branch reads x, and channels follow one another.
    def _branch_inputs(self, engine: Engine, x: Array) -> list[Array]:
        return [engine.share(x)] * len(self.branches)

    def _input_gradient(self, engine: Engine, dparts: list[Array]) -> Array:
        return _sum(engine, dparts)

    def _combine(self, engine: Engine, parts: list[Array]) -> tuple[Array, Any]:
        y, saved = engine.concatenate(*parts)
        return y, saved

    def _branch_gradients(self, engine: Engine, saved: Any, dy: Array) -> tuple[Array, ...]:
        return tuple(engine.concatenate_backward(dy, saved))

    def _branch_shape(self, shape: Shape) -> Shape:
        return shape

    def _combined_shape(self, shape: Shape, parts: dict[str, Shape]) -> Shape:
        shapes = ", ".join(f"{name} {part}" for name, part in parts.items())
        fits = len({part[:-1] for part in parts.values()}) == 1
        need_shape(self, shape, f"branches whose maps have one size (they give {shapes})", fits)
        channels = sum(part[-1] for part in parts.values())
        return (*next(iter(parts.values()))[:-1], channels)

    # What follows from it for all of them.
    def init(self, rng: np.random.Generator) -> Tree:
        """Each branch's variables under its name."""
        return {name: branch.init(rng) for name, branch in self.branches.items()}

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """The branches' results, joined."""
        parts, saved, stats = [], {}, {}
        for (name, branch), branch_x in zip(
            self.branches.items(), self._branch_inputs(engine, x), strict=True
        ):
            with within(name):
                part, saved[name], stats[name] = branch.forward(engine, v[name], branch_x)
            parts.append(part)
        y, saved_combination = self._combine(engine, parts)
        return y, (saved, saved_combination), sparse(stats)

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx, and every branch's gradients under its name."""
        saved_branches, saved_combination = saved
        dparts, grads = [], {}
        for (name, branch), part in zip(
            self.branches.items(), self._branch_gradients(engine, saved_combination, dy), strict=True
        ):
            dpart, grads[name] = branch.backward(engine, v[name], saved_branches[name], part)
            dparts.append(dpart)
        return self._input_gradient(engine, dparts), sparse(grads)

    def infer(self, engine: Engine, v: Tree, x: Array) -> Array:
        """The branches' results, joined."""
        parts = []
        for (name, branch), branch_x in zip(
            self.branches.items(), self._branch_inputs(engine, x), strict=True
        ):
            with within(name):
                parts.append(branch.infer(engine, v[name], branch_x))
        return self._combine(engine, parts)[0]

    def freeze(self, v: Tree) -> tuple[Layer, Tree]:
        """Every branch frozen."""
        frozen = {name: branch.freeze(v[name]) for name, branch in self.branches.items()}
        layer = replace(self, branches={name: pair[0] for name, pair in frozen.items()})
        return layer, {name: pair[1] for name, pair in frozen.items()}

    def output_shape(self, shape: Shape) -> Shape:
        """The joined shape; a ShapeError names the branch that does not fit."""
        parts, branch_shape = {}, self._branch_shape(shape)
        for name, branch in self.branches.items():
            with within(name):
                parts[name] = branch.output_shape(branch_shape)
        return self._combined_shape(shape, parts)

    def multiply_adds(self, shape: Shape) -> int:
        """The sum over the branches."""
        return sum(row.multiply_adds for row in self.rows(shape))

    def rows(self, shape: Shape, name: str = "") -> Iterator[Row]:
        """Every branch's rows."""
        for key, branch in self.branches.items():
            yield from branch.rows(self._branch_shape(shape), f"{name}.{key}" if name else key)


@dataclass(frozen=True)
class Concatenate(_Branches):
    """Every branch reads x; their channels follow one another (Szegedy et al. 2015, figure 2a)."""


@dataclass(frozen=True)
class Add(_Branches):
    """Every branch reads x; their results are added up."""

    def _combine(self, engine: Engine, parts: list[Array]) -> tuple[Array, Any]:
        return _sum(engine, parts), None

    def _branch_gradients(self, engine: Engine, saved: Any, dy: Array) -> tuple[Array, ...]:
        return (dy,) * len(self.branches)

    def _combined_shape(self, shape: Shape, parts: dict[str, Shape]) -> Shape:
        shapes = ", ".join(f"{name} {part}" for name, part in parts.items())
        need_shape(self, shape, f"branches of one shape (they give {shapes})", len({*parts.values()}) == 1)
        return next(iter(parts.values()))


@dataclass(frozen=True)
class Parallel(_Branches):
    """Every branch reads its own equal share of x's `channels`; their channels follow one another."""

    channels: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.channels % len(self.branches):
            raise ValueError(
                f"Parallel.channels takes a multiple of its {len(self.branches)} branches; "
                f"it was given {self.channels}"
            )

    @property
    def _channels_per_branch(self) -> int:
        return self.channels // len(self.branches)

    def _branch_inputs(self, engine: Engine, x: Array) -> list[Array]:
        x, count = engine.share(x), self._channels_per_branch
        firsts = range(0, self.channels, count)
        return [engine.take_channels(x, first=first, count=count) for first in firsts]

    def _input_gradient(self, engine: Engine, dparts: list[Array]) -> Array:
        return engine.concatenate(*dparts)[0]

    def _branch_shape(self, shape: Shape) -> Shape:
        need_shape(self, shape, f"{self.channels} channels", shape[-1] == self.channels)
        return (*shape[:-1], self._channels_per_branch)


def _sum(engine: Engine, arrays: list[Array]) -> Array:
    total, *others = arrays
    for other in others:
        total = engine.add(total, other)
    return total
