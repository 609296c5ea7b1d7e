"""Weights and biases of layers: their first values, and their gradients by name."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.engines.vocabulary.core import Array
from residua.variables import Tree


def normal_weight(
    rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, gain: float = 2.0
) -> NDArray[np.float32]:
    """Normal numbers with standard deviation sqrt(gain / fan in), float32.

    fan_in: how many numbers each output is a sum of. A gain of 2 keeps the size of signals that a ReLU
    follows (He et al. 2015, "Delving deep into rectifiers", section 2.2), 1 that of others.
    """
    return rng.normal(0, (gain / fan_in) ** 0.5, shape).astype(np.float32, copy=False)


def weight_and_bias(
    rng: np.random.Generator, shape: tuple[int, ...], fan_in: float, bias: int, gain: float = 2.0
) -> Tree:
    """{"weight": see `normal_weight`, "bias": so many zeros}; without the bias where there are none."""
    v: Tree = {"weight": normal_weight(rng, shape, fan_in, gain)}
    return v | {"bias": np.zeros(bias, np.float32)} if bias else v


def weight_and_bias_grads(v: Tree, dweight: Array, dbias: Array) -> Tree:
    """The gradients under the names of the variables: of what the layer has none, there is none."""
    grads = {"weight": dweight, "bias": dbias}
    return {name: grads[name] for name in v if name in grads}


class ZeroGenerator(np.random.Generator):
    """Zeros where a layer draws its first weights: a network's shapes without the work and the memory."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        """Zeros, which take no memory before they are written to."""
        return np.zeros(size, np.float32)
