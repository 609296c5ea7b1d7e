"""Losses: what training makes small. Each gives the mean over the pictures and its gradient, by hand.

A loss is a frozen object that holds configuration: `loss(engine, outputs, targets, weights=weights)` gives
the value and the gradient by the outputs. `weights` (N,), where given, multiply the pictures' losses.
"""

from __future__ import annotations

from dataclasses import dataclass

from residua.engines.vocabulary.core import Array, Engine


@dataclass(frozen=True)
class Loss:
    """The contract: value and gradient by the outputs, together."""

    def __call__(
        self, engine: Engine, outputs: Array, targets: Array, *, weights: Array | None = None
    ) -> tuple[Array, Array]:
        """The mean loss, and its gradient, shaped like the outputs."""
        raise NotImplementedError


@dataclass(frozen=True)
class CrossEntropy(Loss):
    """-log softmax(logits) at the label; outputs: logits (N, classes), targets: labels (N,).

    `smoothing` spreads that share of the target over all classes (Szegedy et al. 2016, section 7).
    """

    smoothing: float = 0.0

    def __call__(
        self, engine: Engine, outputs: Array, targets: Array, *, weights: Array | None = None
    ) -> tuple[Array, Array]:
        """The mean loss, and its gradient by the logits."""
        return engine.softmax_cross_entropy(outputs, targets, smoothing=self.smoothing, weights=weights)


@dataclass(frozen=True)
class NegativeLogLikelihood(Loss):
    """Minus the output at the label; outputs: log-probabilities (N, classes), targets: labels (N,)."""

    def __call__(
        self, engine: Engine, outputs: Array, targets: Array, *, weights: Array | None = None
    ) -> tuple[Array, Array]:
        """The mean loss, and its gradient by the log-probabilities."""
        return engine.negative_log_likelihood(outputs, targets, weights=weights)


@dataclass(frozen=True)
class MarginLoss(Loss):
    """max(0, present - length)² for the class that is there, share * max(0, length - absent)² for the others.

    Sabour et al. 2017, "Dynamic routing between capsules", equation 4, whose constants are the defaults.
    outputs: lengths of the class capsules (N, classes), targets: labels (N,).
    """

    present: float = 0.9
    absent: float = 0.1
    share: float = 0.5

    def __call__(
        self, engine: Engine, outputs: Array, targets: Array, *, weights: Array | None = None
    ) -> tuple[Array, Array]:
        """The mean loss, and its gradient by the lengths."""
        return engine.margin_loss(
            outputs, targets, present=self.present, absent=self.absent, share=self.share, weights=weights
        )


@dataclass(frozen=True)
class MeanSquaredError(Loss):
    """The mean of (output - target)² over all numbers of a picture; outputs and targets of one shape."""

    def __call__(
        self, engine: Engine, outputs: Array, targets: Array, *, weights: Array | None = None
    ) -> tuple[Array, Array]:
        """The mean loss, and its gradient by the outputs."""
        return engine.mean_squared_error(outputs, targets, weights=weights)


@dataclass(frozen=True)
class BinaryCrossEntropy(Loss):
    """-(t log s + (1 - t) log(1 - s)) with s = sigmoid(output), the mean over all numbers of a picture.

    outputs: logits, targets: from 0 to 1, of one shape. The sigmoid is part of it, since its logarithm
    would be infinite where the sigmoid rounds to zero.
    """

    def __call__(
        self, engine: Engine, outputs: Array, targets: Array, *, weights: Array | None = None
    ) -> tuple[Array, Array]:
        """The mean loss, and its gradient by the logits."""
        return engine.binary_cross_entropy(outputs, targets, weights=weights)
