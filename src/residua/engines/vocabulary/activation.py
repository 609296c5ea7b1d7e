"""Activations beside ReLU, written once over the engine's NumPy-like module."""

from __future__ import annotations

from typing import Any

from residua.engines.vocabulary.normal_distribution import distribution_and_density

Array = Any
Saved = Any


def leaky_relu(engine: Any, x: Array, *, slope: float) -> tuple[Array, Saved]:
    """x where it is positive, slope x elsewhere."""
    return engine.xp.where(x > 0, x, x * slope), x


def leaky_relu_backward(engine: Any, dy: Array, saved: Saved, *, slope: float) -> Array:
    """`dy` where x was positive, slope dy elsewhere (so also at x = 0)."""
    return engine.xp.where(saved > 0, dy, dy * slope)


def threshold(engine: Any, x: Array, *, level: float, value: float) -> tuple[Array, Saved]:
    """x where it is above the level, `value` elsewhere."""
    return engine.xp.where(x > level, x, engine.xp.asarray(value, x.dtype)), x


def threshold_backward(engine: Any, dy: Array, saved: Saved, *, level: float, value: float) -> Array:
    """`dy` where x was above the level, zero elsewhere."""
    return dy * (saved > level)


def tanh(engine: Any, x: Array) -> tuple[Array, Saved]:
    """The hyperbolic tangent."""
    y = engine.xp.tanh(x)
    return y, y


def tanh_backward(engine: Any, dy: Array, saved: Saved) -> Array:
    """dy (1 - y²)."""
    return dy * (1 - saved * saved)


def sigmoid(engine: Any, x: Array) -> tuple[Array, Saved]:
    """1 / (1 + exp(-x))."""
    # Of a negative number only: the exponential of a large one would overflow.
    small = engine.xp.exp(-engine.xp.abs(x))
    y = engine.xp.where(x < 0, small, 1 + 0 * small) / (1 + small)
    return y, y


def sigmoid_backward(engine: Any, dy: Array, saved: Saved) -> Array:
    """dy y (1 - y)."""
    return dy * saved * (1 - saved)


def gelu(engine: Any, x: Array) -> tuple[Array, Saved]:
    """x Φ(x), Φ being the normal distribution's (Hendrycks and Gimpel 2016, section 2): the exact form."""
    return x * distribution_and_density(engine.xp, x)[0], x


def gelu_backward(engine: Any, dy: Array, saved: Saved) -> Array:
    """dy (Φ(x) + x φ(x)), φ being the normal density."""
    below, density = distribution_and_density(engine.xp, saved)
    return dy * (below + saved * density)


def silu(engine: Any, x: Array) -> tuple[Array, Saved]:
    """x sigmoid(x) (Elfwing et al. 2018, section 2; Ramachandran et al. 2017 call it swish)."""
    return x * sigmoid(engine, x)[0], x


def silu_backward(engine: Any, dy: Array, saved: Saved) -> Array:
    """dy s (1 + x (1 - s)) with s = sigmoid(x)."""
    s, _ = sigmoid(engine, saved)
    # 1 - s of a large x would be zero.
    return dy * s * (1 + saved * sigmoid(engine, -saved)[0])


def channel_softmax(engine: Any, x: Array) -> tuple[Array, Saved]:
    """exp(x) / sum of exp(x) along the last axis, of features or at every pixel."""
    e = engine.xp.exp(x - x.max(axis=-1, keepdims=True))
    y = e / e.sum(axis=-1, keepdims=True)
    return y, y


def channel_softmax_backward(engine: Any, dy: Array, saved: Saved) -> Array:
    """y (dy - sum of dy y)."""
    return saved * (dy - (dy * saved).sum(axis=-1, keepdims=True))


def log_softmax(engine: Any, x: Array) -> tuple[Array, Saved]:
    """x - log(sum of exp(x)) along the last axis."""
    shifted = x - x.max(axis=-1, keepdims=True)
    y = shifted - engine.xp.log(engine.xp.exp(shifted).sum(axis=-1, keepdims=True))
    return y, y


def log_softmax_backward(engine: Any, dy: Array, saved: Saved) -> Array:
    """dy - exp(y) sum of dy."""
    return dy - engine.xp.exp(saved) * dy.sum(axis=-1, keepdims=True)


def softmax(engine: Any, logits: Array) -> Array:
    """Probabilities (N, classes); stable, since the largest logit is taken off first."""
    e = engine.xp.exp(logits - logits.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
