"""Losses: each gives the mean over the pictures and its gradient, together.

`weights` (N,), where given, multiply the pictures' losses.
"""

from __future__ import annotations

from typing import Any

Array = Any


def softmax_cross_entropy(
    engine: Any, logits: Array, labels: Array, *, smoothing: float = 0.0, weights: Array | None = None
) -> tuple[Array, Array]:
    """Mean loss and its gradient by the logits, together.

    `smoothing` spreads that share of the target over all classes (Szegedy et al. 2016, section 7);
    `weights` (N,) multiply the pictures' losses.
    """
    xp, (count, classes) = engine.xp, logits.shape
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponential = xp.exp(shifted)
    total = exponential.sum(axis=1, keepdims=True)
    hit = xp.asarray(labels)[:, None] == xp.arange(classes)
    target = hit.astype(logits.dtype) * (1 - smoothing) + smoothing / classes
    losses = -(target * (shifted - xp.log(total))).sum(axis=1)
    dlogits = (exponential / total - target) / count
    if weights is not None:
        losses = losses * weights
        dlogits = dlogits * weights[:, None]
    return losses.mean(), dlogits


def count_correct(engine: Any, logits: Array, labels: Array) -> Array:
    """How many pictures have their largest logit at their label."""
    return (logits.argmax(axis=1) == engine.xp.asarray(labels)).sum()


def negative_log_likelihood(
    engine: Any, log_probabilities: Array, labels: Array, *, weights: Array | None = None
) -> tuple[Array, Array]:
    """Minus the logarithm that stands at each label (N, classes)."""
    hit = _hit(engine, log_probabilities, labels)
    return _mean(-(hit * log_probabilities).sum(axis=1), -hit, weights)


def margin_loss(
    engine: Any,
    lengths: Array,
    labels: Array,
    *,
    present: float,
    absent: float,
    share: float,
    weights: Array | None = None,
) -> tuple[Array, Array]:
    """max(0, present - length)² at the label + share * max(0, length - absent)² elsewhere, summed.

    lengths: (N, classes), of the class capsules (Sabour et al. 2017, equation 4).
    """
    xp, hit = engine.xp, _hit(engine, lengths, labels)
    short, long = xp.maximum(present - lengths, 0), xp.maximum(lengths - absent, 0)
    losses = (hit * short * short + share * (1 - hit) * long * long).sum(axis=1)
    return _mean(losses, 2 * (share * (1 - hit) * long - hit * short), weights)


def mean_squared_error(
    engine: Any, x: Array, target: Array, *, weights: Array | None = None
) -> tuple[Array, Array]:
    """The mean of (x - target)² over each picture's numbers."""
    difference = x - target
    each, axes = difference.size // len(difference), tuple(range(1, difference.ndim))
    return _mean((difference * difference).mean(axis=axes), difference * (2 / each), weights)


def binary_cross_entropy(
    engine: Any, logits: Array, target: Array, *, weights: Array | None = None
) -> tuple[Array, Array]:
    """The mean of -(t log s + (1 - t) log(1 - s)) over each picture's numbers; s is sigmoid(logits)."""
    xp = engine.xp
    # log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), which cannot overflow.
    small = xp.exp(-xp.abs(logits))
    losses = xp.maximum(logits, 0) - logits * target + xp.log1p(small)
    probabilities = xp.where(logits < 0, small, 1 + 0 * small) / (1 + small)
    each, axes = losses.size // len(losses), tuple(range(1, losses.ndim))
    return _mean(losses.mean(axis=axes), (probabilities - target) / each, weights)


def _hit(engine: Any, x: Array, labels: Array) -> Array:
    """One at each picture's label, zero elsewhere."""
    xp = engine.xp
    return (xp.asarray(labels)[:, None] == xp.arange(x.shape[1])).astype(x.dtype)


def _mean(losses: Array, gradient: Array, weights: Array | None) -> tuple[Array, Array]:
    if weights is not None:
        losses = losses * weights
        gradient = gradient * weights.reshape(-1, *[1] * (gradient.ndim - 1))
    return losses.mean(), gradient / len(losses)
