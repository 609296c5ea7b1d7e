"""Activations beside ReLU, written once over the engine's NumPy-like module."""

from __future__ import annotations

from typing import Any

Array = Any
Saved = Any


class Activations:
    """Part of the vocabulary: functions of single numbers, and of the numbers along the last axis."""

    xp: Any

    def leaky_relu(self, x: Array, *, slope: float) -> tuple[Array, Saved]:
        """x where it is positive, slope x elsewhere."""
        return self.xp.where(x > 0, x, x * slope), x

    def leaky_relu_backward(self, dy: Array, saved: Saved, *, slope: float) -> Array:
        """`dy` where x was positive, slope dy elsewhere (so also at x = 0)."""
        return self.xp.where(saved > 0, dy, dy * slope)

    def threshold(self, x: Array, *, level: float, value: float) -> tuple[Array, Saved]:
        """x where it is above the level, `value` elsewhere."""
        return self.xp.where(x > level, x, self.xp.asarray(value, x.dtype)), x

    def threshold_backward(self, dy: Array, saved: Saved, *, level: float, value: float) -> Array:
        """`dy` where x was above the level, zero elsewhere."""
        return dy * (saved > level)

    def tanh(self, x: Array) -> tuple[Array, Saved]:
        """The hyperbolic tangent."""
        y = self.xp.tanh(x)
        return y, y

    def tanh_backward(self, dy: Array, saved: Saved) -> Array:
        """dy (1 - y²)."""
        return dy * (1 - saved * saved)

    def sigmoid(self, x: Array) -> tuple[Array, Saved]:
        """1 / (1 + exp(-x))."""
        # Of a negative number only: the exponential of a large one would overflow.
        small = self.xp.exp(-self.xp.abs(x))
        y = self.xp.where(x < 0, small, 1 + 0 * small) / (1 + small)
        return y, y

    def sigmoid_backward(self, dy: Array, saved: Saved) -> Array:
        """dy y (1 - y)."""
        return dy * saved * (1 - saved)

    def channel_softmax(self, x: Array) -> tuple[Array, Saved]:
        """exp(x) / sum of exp(x) along the last axis, of features or at every pixel."""
        e = self.xp.exp(x - x.max(axis=-1, keepdims=True))
        y = e / e.sum(axis=-1, keepdims=True)
        return y, y

    def channel_softmax_backward(self, dy: Array, saved: Saved) -> Array:
        """y (dy - sum of dy y)."""
        return saved * (dy - (dy * saved).sum(axis=-1, keepdims=True))

    def log_softmax(self, x: Array) -> tuple[Array, Saved]:
        """x - log(sum of exp(x)) along the last axis."""
        shifted = x - x.max(axis=-1, keepdims=True)
        y = shifted - self.xp.log(self.xp.exp(shifted).sum(axis=-1, keepdims=True))
        return y, y

    def log_softmax_backward(self, dy: Array, saved: Saved) -> Array:
        """dy - exp(y) sum of dy."""
        return dy - self.xp.exp(saved) * dy.sum(axis=-1, keepdims=True)
