"""Several networks that answer together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, ClassVar, Literal

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer, Row, sparse
from residua.layers.probabilities import PROBABILITIES
from residua.layers.shapes import Shape, need_shape, within
from residua.variables import Tree

METHODS = ("mean", "weighted", "vote")


def combine(xp: Any, parts: Sequence[Array], method: str, weights: Sequence[float]) -> Array:
    """Probabilities (N, classes) of all together, out of those of each; xp: a NumPy-like module.

    mean and weighted: the weighted mean. vote: each has one vote, for its most probable class; the mean
    of all counts as one vote more, divided among the classes, and so decides between equals.
    """
    mean = _sum([weight * part for weight, part in zip(weights, parts, strict=True)])
    if method != "vote":
        return mean
    votes = [(part.argmax(axis=1)[:, None] == xp.arange(part.shape[1])).astype(part.dtype) for part in parts]
    return (_sum(votes) + mean) / (len(parts) + 1)


def _sum(arrays: Sequence[Array]) -> Array:
    total = arrays[0]
    for array in arrays[1:]:
        total = total + array
    return total


@dataclass(frozen=True)
class Ensemble(Layer):
    """The probabilities (N, classes) of several networks, combined (see `combine`).

    x: (N, H, W, C). Each member sees x * scale + shift per channel, by its own row of `scales` and `shifts`
    (members, C): its own preprocessing, where those of the members differ; without rows, x as it is.
    `weights`: one for each member, summing to one; equal ones without. The gradient of a vote is that of
    the mean in it. Variables: each member's under its name.
    """

    members: dict[str, Layer]
    method: str = "mean"
    weights: tuple[float, ...] = ()
    scales: tuple[tuple[float, ...], ...] = ()
    shifts: tuple[tuple[float, ...], ...] = ()

    outputs: ClassVar[Literal["logits", "lengths", "probabilities"]] = "probabilities"

    def __post_init__(self) -> None:
        super().__post_init__()
        count = len(self.members)
        if not count:
            raise ValueError("Ensemble takes one or more members")
        if self.method not in METHODS:
            raise ValueError(f"Ensemble.method is one of {', '.join(METHODS)}; it was given {self.method!r}")
        weights = tuple(map(float, self.weights)) or (1 / count,) * count
        rows = [tuple(tuple(map(float, row)) for row in table) for table in (self.scales, self.shifts)]
        for name, value in zip(("weights", "scales", "shifts"), (weights, *rows), strict=True):
            object.__setattr__(self, name, value)  # a file gives lists
        fits = all(0 <= weight <= 1 for weight in weights) and abs(sum(weights) - 1) < 1e-6
        if len(weights) != count or not fits:
            raise ValueError(f"Ensemble.weights takes {count} numbers from 0 to 1 that sum to 1")
        numbers = [number for table in rows for row in table for number in row]
        widths = {len(row) for table in rows for row in table}
        if any(len(table) not in (0, count) for table in rows) or len(rows[0]) != len(rows[1]):
            raise ValueError(f"Ensemble.scales and shifts take a row for each of {count} members, or none")
        if len(widths) > 1 or not all(map(isfinite, numbers)):
            raise ValueError("Ensemble.scales and shifts take a finite number for each channel")

    def init(self, rng: np.random.Generator) -> Tree:
        """Each member's variables under its name."""
        return {name: member.init(rng) for name, member in self.members.items()}

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y: (N, classes), probabilities."""
        x = engine.share(x)
        parts, saved, stats = [], {}, {}
        for index, (name, member) in enumerate(self.members.items()):
            with within(name):
                member_x, saved_x = self._member_input(engine, x, index)
                outputs, saved_member, stats[name] = member.forward(engine, v[name], member_x)
                part, saved_part, _ = PROBABILITIES[member.outputs].forward(engine, {}, outputs)
            parts.append(part)
            saved[name] = (saved_x, saved_member, saved_part)
        return engine.apply(self._combine, *parts), saved, sparse(stats)

    def _member_input(self, engine: Engine, x: Array, index: int) -> tuple[Array, Any]:
        if not self.scales:
            return x, None
        return engine.scale_shift(x, *self._scale_and_shift(index))

    def _scale_and_shift(self, index: int) -> tuple[Array, Array]:
        return np.array(self.scales[index], np.float32), np.array(self.shifts[index], np.float32)

    def _combine(self, xp: Any, *parts: Array) -> Array:
        return combine(xp, parts, self.method, self.weights)

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """The sum of the members' dx, and their gradients."""
        dx, grads = None, {}
        for index, (name, member) in enumerate(self.members.items()):
            saved_x, saved_member, saved_part = saved[name]
            weight = self.weights[index] / (len(self.members) + 1 if self.method == "vote" else 1)
            dpart = engine.apply(_times(weight), dy)
            doutputs, _ = PROBABILITIES[member.outputs].backward(engine, {}, saved_part, dpart)
            dmember, grads[name] = member.backward(engine, v[name], saved_member, doutputs)
            if self.scales:
                dmember = engine.scale_shift_backward(dmember, self._scale_and_shift(index)[0], saved_x)[0]
            dx = dmember if dx is None else engine.add(dx, dmember)
        return dx, sparse(grads)

    def infer(self, engine: Engine, v: Tree, x: Array) -> Array:
        """y."""
        x = engine.share(x)
        parts = []
        for index, (name, member) in enumerate(self.members.items()):
            with within(name):
                outputs = member.infer(engine, v[name], self._member_input(engine, x, index)[0])
                parts.append(PROBABILITIES[member.outputs].infer(engine, {}, outputs))
        return engine.apply(self._combine, *parts)

    def freeze(self, v: Tree) -> tuple[Layer, Tree]:
        """Every member frozen."""
        frozen = {name: member.freeze(v[name]) for name, member in self.members.items()}
        members = {name: pair[0] for name, pair in frozen.items()}
        layer = Ensemble(members, self.method, self.weights, self.scales, self.shifts)
        return layer, {name: pair[1] for name, pair in frozen.items()}

    def output_shape(self, shape: Shape) -> Shape:
        """(H, W, C) -> (classes,), the same of every member."""
        if self.scales:
            channels = len(self.scales[0])
            need_shape(self, shape, f"pictures (H, W, {channels})", shape[-1:] == (channels,))
        after = {}
        for name, member in self.members.items():
            with within(name):
                after[name] = member.output_shape(shape)
        shapes = ", ".join(f"{name} {sizes}" for name, sizes in after.items())
        fits = len(set(after.values())) == 1 and len(after[next(iter(after))]) == 1
        need_shape(self, shape, f"members with one output for each of the same classes ({shapes})", fits)
        return next(iter(after.values()))

    def multiply_adds(self, shape: Shape) -> int:
        """The sum over the members."""
        return sum(member.multiply_adds(shape) for member in self.members.values())

    def rows(self, shape: Shape, name: str = "") -> Iterator[Row]:
        """Every member's rows."""
        for key, member in self.members.items():
            yield from member.rows(shape, f"{name}.{key}" if name else key)


def _times(factor: float) -> Callable[..., Array]:
    return lambda xp, array: factor * array
