"""What a layer is: a frozen dataclass that holds configuration and no arrays.

Its arrays, the variables, are a nested dictionary that the caller holds. `init` makes them, `forward` and
`backward` receive them, `freeze` turns layer and variables into the same function for inference. Engines
compute; a layer hands their opaque values from one operation to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.parameters import ZeroGenerator
from residua.layers.shapes import Shape
from residua.variables import Tree, count_parameters

ADDED_LATER = "added later"


def added_later(default: Any) -> Any:
    """A field that a layer did not have at first: a model file names it where it is not the default.

    So a model that does without it stays the same bytes, and versions before it read the file.
    """
    return field(default=default, metadata={ADDED_LATER: True})


MAY_BE_ZERO = frozenset({"padding", "extra", "above", "below", "left", "right"})


@dataclass(frozen=True)
class Row:
    """One line of a network's summary; shapes are those of one picture, (H, W, C) or (C,)."""

    name: str
    kind: str
    input_shape: Shape
    output_shape: Shape
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Layer:
    """The contract. A layer without variables only writes forward and backward.

    `outputs` says what a network's outputs are of its classes; `layers.PROBABILITIES` has what turns each
    kind into probabilities.
    """

    outputs: ClassVar[Literal["logits", "lengths", "probabilities"]] = "logits"

    def __post_init__(self) -> None:
        # Sizes that are not possible would otherwise show in the middle of a computation.
        for entry in fields(self):
            value, least = getattr(self, entry.name), 0 if entry.name in MAY_BE_ZERO else 1
            if type(value) is int and value < least:
                raise ValueError(
                    f"{type(self).__name__}.{entry.name} takes {least} or more; it was given {value}"
                )

    def init(self, rng: np.random.Generator) -> Tree:
        """New variables, float32, on the host: every engine starts from the same numbers."""
        return {}

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, what backward needs, and the statistics that replace variables of the same name."""
        raise NotImplementedError

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dx and the gradients, named like the variables."""
        raise NotImplementedError

    def infer(self, engine: Engine, v: Tree, x: Array) -> Array:
        """y alone; containers drop what backward would need as they go."""
        return self.forward(engine, v, x)[0]

    def loss(
        self,
        engine: Engine,
        v: Tree,
        images: Array,
        labels: Array,
        *,
        smoothing: float = 0.0,
        weights: Array | None = None,
        mixed: tuple[Array, Array] | None = None,
    ) -> tuple[Array, Array, Tree, Tree]:
        """What a step of training needs of a whole network: mean loss, outputs, gradients, statistics.

        labels: (N,). Cross-entropy of the outputs as logits, with label smoothing and the pictures'
        weights (N,). mixed: where every picture is made of two, the labels (N,) of the second ones and the
        share (N,) of the first: the loss is share * that of the one label + (1 - share) * that of the other
        (Zhang et al. 2018, mixup, section 2). A network that trains with another loss writes its own.
        """
        logits, saved, stats = self.forward(engine, v, images)
        if mixed is None:
            loss, dlogits = engine.softmax_cross_entropy(logits, labels, smoothing=smoothing, weights=weights)
        else:
            loss, dlogits = _mixed_loss(engine, logits, labels, *mixed, smoothing, weights)
        _, grads = self.backward(engine, v, saved, dlogits)
        return loss, logits, grads, stats

    def freeze(self, v: Tree) -> tuple[Layer, Tree]:
        """A layer and variables that compute the same function for inference, without statistics."""
        return self, v

    def output_shape(self, shape: Shape) -> Shape:
        """The shape of one output for one input; ShapeError where the layer cannot take it."""
        return shape

    def multiply_adds(self, shape: Shape) -> int:
        """Multiplications that are summed up, for one input of this shape: the usual measure of cost."""
        return 0

    def rows(self, shape: Shape, name: str = "") -> Iterator[Row]:
        """The summary's lines for this layer and the layers inside it."""
        variables = self.init(ZeroGenerator())
        yield Row(
            name,
            type(self).__name__,
            shape,
            self.output_shape(shape),
            count_parameters(variables),
            self.multiply_adds(shape),
        )


def sparse(stats: Mapping[str, Tree]) -> Tree:
    """The branches that hold anything."""
    return {name: branch for name, branch in stats.items() if branch}


def _mixed_loss(
    engine: Engine,
    logits: Array,
    labels: Array,
    others: Array,
    share: Array,
    smoothing: float,
    weights: Array | None,
) -> tuple[Array, Array]:
    """The loss of two labels is that of each, weighed by its share of the picture."""

    def weights_of_both(xp: Any, share: Array, *weights: Array) -> tuple[Array, Array]:
        one, other = share, 1 - share
        return (one * weights[0], other * weights[0]) if weights else (one, other)

    def total(xp: Any, *values: Array) -> tuple[Array, Array]:
        return values[0] + values[2], values[1] + values[3]

    first, second = engine.apply(weights_of_both, share, *(() if weights is None else (weights,)))
    of_labels = engine.softmax_cross_entropy(logits, labels, smoothing=smoothing, weights=first)
    of_others = engine.softmax_cross_entropy(logits, others, smoothing=smoothing, weights=second)
    loss, dlogits = engine.apply(total, *of_labels, *of_others)
    return loss, dlogits
