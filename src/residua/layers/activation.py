"""Activations: functions of single numbers, and softmax over the last axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from residua.engines.vocabulary.core import Array, Engine
from residua.layers.base import Layer
from residua.variables import Tree


@dataclass(frozen=True)
class ReLU(Layer):
    """max(x, 0) (Nair and Hinton 2010)."""

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.relu(x)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy where x was positive."""
        return engine.relu_backward(dy, saved), {}


@dataclass(frozen=True)
class LeakyReLU(Layer):
    """x where it is positive, slope x elsewhere (Maas et al. 2013, section 2)."""

    slope: float = 0.01

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.leaky_relu(x, slope=self.slope)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy, times the slope where x was not positive."""
        return engine.leaky_relu_backward(dy, saved, slope=self.slope), {}


@dataclass(frozen=True)
class GELU(Layer):
    """x Φ(x), Φ being the normal distribution's (Hendrycks and Gimpel 2016, section 2), exactly.

    Not offered: its form with tanh, which was made where exact ones were slow. Here both would take as
    long.
    """

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.gelu(x)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy (Φ(x) + x φ(x)), φ being the normal density."""
        return engine.gelu_backward(dy, saved), {}


@dataclass(frozen=True)
class SiLU(Layer):
    """x sigmoid(x) (Elfwing et al. 2018, section 2), also known as swish (Ramachandran et al. 2017)."""

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.silu(x)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy s (1 + x (1 - s)) with s = sigmoid(x)."""
        return engine.silu_backward(dy, saved), {}


@dataclass(frozen=True)
class Tanh(Layer):
    """The hyperbolic tangent."""

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.tanh(x)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy (1 - y²)."""
        return engine.tanh_backward(dy, saved), {}


@dataclass(frozen=True)
class Sigmoid(Layer):
    """1 / (1 + exp(-x))."""

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.sigmoid(x)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy y (1 - y)."""
        return engine.sigmoid_backward(dy, saved), {}


@dataclass(frozen=True)
class Softmax(Layer):
    """Probabilities along the last axis: of features (N, C), or at every pixel of pictures."""

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.channel_softmax(x)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """y (dy - sum of dy y)."""
        return engine.channel_softmax_backward(dy, saved), {}


@dataclass(frozen=True)
class LogSoftmax(Layer):
    """Logarithms of probabilities along the last axis: of features (N, C), or at every pixel."""

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.log_softmax(x)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy - exp(y) sum of dy."""
        return engine.log_softmax_backward(dy, saved), {}


@dataclass(frozen=True)
class Threshold(Layer):
    """x where it is above `level`, `value` elsewhere."""

    level: float = 0.0
    value: float = 0.0

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        y, saved = engine.threshold(x, level=self.level, value=self.value)
        return y, saved, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy where x was above the level."""
        return engine.threshold_backward(dy, saved, level=self.level, value=self.value), {}


@dataclass(frozen=True)
class Logarithm(Layer):
    """log x of positive numbers, such as probabilities; below the smallest float32 that of the smallest."""

    def forward(self, engine: Engine, v: Tree, x: Array) -> tuple[Array, Any, Tree]:
        """y, shaped like x."""
        x = engine.share(x)
        return engine.apply(_logarithm, x), x, {}

    def backward(self, engine: Engine, v: Tree, saved: Any, dy: Array) -> tuple[Array, Tree]:
        """dy / x."""
        return engine.apply(_logarithm_backward, dy, saved), {}


LEAST = 1.1754944e-38  # the smallest normal float32


def _logarithm(xp: Any, x: Array) -> Array:
    return xp.log(xp.maximum(x, x.dtype.type(LEAST)))


def _logarithm_backward(xp: Any, dy: Array, x: Array) -> Array:
    return xp.where(x > LEAST, dy / xp.maximum(x, x.dtype.type(LEAST)), x.dtype.type(0))
