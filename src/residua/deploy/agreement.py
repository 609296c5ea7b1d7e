"""How two answers to the same pictures agree: a model's, and those of what was made of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Agreement:
    """How many pictures have the same answer, how far probabilities differ, and how often either is right.

    accuracy, other_accuracy: shares of right answers; None where labels are not known.
    """

    same: int
    largest_difference: float
    accuracy: float | None
    other_accuracy: float | None


def compare_answers(
    ours: NDArray[np.float32], theirs: NDArray[np.float32], labels: NDArray[np.int64] | None
) -> Agreement:
    """Of probabilities (N, classes); labels (N,), None of pictures that show nothing."""
    chosen, others = ours.argmax(axis=1), theirs.argmax(axis=1)
    return Agreement(
        same=int((chosen == others).sum()),
        largest_difference=float(np.abs(ours.astype(np.float64) - theirs).max()),
        accuracy=None if labels is None else float((chosen == labels).mean()),
        other_accuracy=None if labels is None else float((others == labels).mean()),
    )
