"""Arrays in the forms in which callers may hand them over, and how far two of them are apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from residua.engines.vocabulary.core import Array, Engine
from residua.variables import Tree, flatten, transform

SPREAD = 2.0  # test inputs lie between minus this and this


def distinct(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """float64 numbers of which no two are equal and none is zero, in random order.

    Neighbours are as far apart as they can be, so that maxima and signs survive small steps.
    """
    count = int(np.prod(shape))
    steps = (np.arange(count) + 0.5) / count
    # An odd count would put its middle at zero.
    values = SPREAD * (2 * steps - 1 + (0.5 / count if count % 2 else 0.0))
    return rng.permutation(values).reshape(shape)


def scattered(x: Array) -> Array:
    """The same numbers as a view with gaps."""
    wide = np.zeros((*x.shape, 2), x.dtype)
    wide[..., 0] = x
    return wide[..., 0]


def locked(x: Array) -> Array:
    """A copy that cannot be written to."""
    x = x.copy(order="K")
    x.flags.writeable = False
    return x


def locked_scattered(x: Array) -> Array:
    """A view with gaps that cannot be written to."""
    x = scattered(x)
    x.flags.writeable = False
    return x


FORMS: dict[str, Callable[[Array], Array]] = {
    "ordinary": np.copy,
    "read-only": locked,
    "non-contiguous": scattered,
    "column by column": np.asfortranarray,
}


def cast(tree: Mapping[str, Any], dtype: Any) -> Tree:
    """Copies of the tree's arrays, floating-point ones in `dtype`."""
    return transform(lambda a: np.array(a, dtype if np.issubdtype(a.dtype, np.floating) else None), tree)


def host(engine: Engine, value: Array) -> Array:
    """An engine's value as a NumPy array."""
    return np.asarray(engine.plain(value))


def host_tree(engine: Engine, tree: Mapping[str, Any]) -> dict[str, Array]:
    """{dotted path: NumPy array} of a tree of an engine's values."""
    return {name: host(engine, value) for name, value in flatten(tree).items()}


def distance(a: Array, b: Array, floor: float = 0.0) -> float:
    """The largest difference relative to the largest number of `b`; infinite for NaN or other shapes.

    `floor` stands in for a largest number below it: where the exact result is zero, only rounding is left.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return float("inf")
    if not a.size:
        return 0.0
    gap = float(np.max(np.abs(a - b)))
    if np.isnan(gap):
        return float("inf")
    return gap / max(float(np.max(np.abs(b))), floor, float(np.finfo(np.float64).tiny))
