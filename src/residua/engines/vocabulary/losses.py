"""Losses beside cross-entropy: each gives the mean over the pictures and its gradient, together."""

from __future__ import annotations

from typing import Any

Array = Any


class Losses:
    """Part of the vocabulary: what networks may be trained to make small.

    `weights` (N,), where given, multiply the pictures' losses.
    """

    xp: Any

    def negative_log_likelihood(
        self, log_probabilities: Array, labels: Array, *, weights: Array | None = None
    ) -> tuple[Array, Array]:
        """Minus the logarithm that stands at each label (N, classes)."""
        hit = self._hit(log_probabilities, labels)
        return self._mean(-(hit * log_probabilities).sum(axis=1), -hit, weights)

    def margin_loss(
        self,
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
        xp, hit = self.xp, self._hit(lengths, labels)
        short, long = xp.maximum(present - lengths, 0), xp.maximum(lengths - absent, 0)
        losses = (hit * short * short + share * (1 - hit) * long * long).sum(axis=1)
        return self._mean(losses, 2 * (share * (1 - hit) * long - hit * short), weights)

    def mean_squared_error(
        self, x: Array, target: Array, *, weights: Array | None = None
    ) -> tuple[Array, Array]:
        """The mean of (x - target)² over each picture's numbers."""
        difference = x - target
        each, axes = difference.size // len(difference), tuple(range(1, difference.ndim))
        return self._mean((difference * difference).mean(axis=axes), difference * (2 / each), weights)

    def binary_cross_entropy(
        self, logits: Array, target: Array, *, weights: Array | None = None
    ) -> tuple[Array, Array]:
        """The mean of -(t log s + (1 - t) log(1 - s)) over each picture's numbers; s is sigmoid(logits)."""
        xp = self.xp
        # log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)), which cannot overflow.
        small = xp.exp(-xp.abs(logits))
        losses = xp.maximum(logits, 0) - logits * target + xp.log1p(small)
        probabilities = xp.where(logits < 0, small, 1 + 0 * small) / (1 + small)
        each, axes = losses.size // len(losses), tuple(range(1, losses.ndim))
        return self._mean(losses.mean(axis=axes), (probabilities - target) / each, weights)

    def _hit(self, x: Array, labels: Array) -> Array:
        """One at each picture's label, zero elsewhere."""
        xp = self.xp
        return (xp.asarray(labels)[:, None] == xp.arange(x.shape[1])).astype(x.dtype)

    def _mean(self, losses: Array, gradient: Array, weights: Array | None) -> tuple[Array, Array]:
        if weights is not None:
            losses = losses * weights
            gradient = gradient * weights.reshape(-1, *[1] * (gradient.ndim - 1))
        return losses.mean(), gradient / len(losses)
