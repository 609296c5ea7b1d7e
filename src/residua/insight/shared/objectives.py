"""What is to grow: functions of a network's outputs, as their gradients, for attacks and saliency methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

# (xp, outputs, labels) -> the gradient by the outputs of what is to grow; outputs (N, classes), labels (N,).
Objective = Callable[[Any, Any, Any], Any]


def class_score(xp: Any, outputs: Any, labels: Any) -> Any:
    """The gradient of the label's own score."""
    return (labels[:, None] == xp.arange(outputs.shape[1])).astype(outputs.dtype)


def cross_entropy(xp: Any, logits: Any, labels: Any) -> Any:
    """The direction of the gradient of -log p(label), one label a picture.

    The gradient itself is softmax - one-hot. Divided by 1 - p(label), which leaves its direction, it is the
    softmax of the other classes - one-hot: it does not vanish in float32 where the network is all but sure.
    """
    hit = labels[:, None] == xp.arange(logits.shape[1])
    others = xp.where(hit, logits.dtype.type(-np.inf), logits)
    powers = xp.exp(others - others.max(axis=1, keepdims=True))
    return xp.where(hit, logits.dtype.type(-1), powers / powers.sum(axis=1, keepdims=True))


def score_and_lead(xp: Any, logits: Any, labels: Any) -> Any:
    """The gradient of the label's own logit plus its log odds, log p / (1 - p)."""
    if logits.shape[1] == 1:  # a lone class leads nobody
        return class_score(xp, logits, labels)
    return class_score(xp, logits, labels) - cross_entropy(xp, logits, labels)
