"""Where a model errs: its worst mistakes, the classes that it confuses, and labels that may be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.insight.evaluation.numbers import confused_pairs
from residua.insight.evaluation.predictions import Predictions
from residua.insight.mistakes.label_errors import LabelErrors, find_label_errors

MOST_PAIRS = 20


@dataclass(frozen=True, eq=False)
class Mistakes:
    """The wrong answers of a model on a split, worst first: those whose true class got the least.

    places: (K,) of the pictures. order: (N, 2 or 1) first and second guess for every picture of the split.
    pairs: the most frequent mistakes as (true class, answer, pictures).
    """

    answered: Predictions
    places: NDArray[np.int64]
    order: NDArray[np.int64]
    pairs: tuple[tuple[int, int, int], ...]
    label_errors: LabelErrors

    def __len__(self) -> int:
        return len(self.places)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: every mistake, every pair, every suspected label."""
        a = self.answered
        mistakes = [
            {
                "file": a.pictures.names[index],
                "class": a.classes[a.labels[index]],
                "guesses": self.guesses(index),
            }
            for index in self.places.tolist()
        ]
        names = a.classes
        pairs = [{"class": names[t], "answer": names[g], "pictures": count} for t, g, count in self.pairs]
        suspects = [
            {"file": a.pictures.names[index], "class": names[a.labels[index]], "seems": names[seems]}
            | {"margin": float(margin)}
            for index, seems, margin in zip(
                self.label_errors.places.tolist(),
                self.label_errors.suspected.tolist(),
                self.label_errors.margins,
                strict=True,
            )
        ]
        return {
            "data": a.data,
            "split": a.split,
            "pictures": len(a),
            **a.exposure.to_dict(),
            "mistakes": mistakes,
            "confused": pairs,
            "suspected_labels": suspects,
            "suspected_share": self.label_errors.share,
        }

    def guesses(self, index: int) -> list[dict[str, Any]]:
        """The first two guesses for a picture of the split, with their probabilities."""
        a = self.answered
        return [
            {"class": a.classes[guess], "probability": float(a.probabilities[index, guess])}
            for guess in self.order[index].tolist()
        ]


def find_mistakes(answered: Predictions) -> Mistakes:
    """The mistakes in a model's answers on a split; there may be none."""
    probabilities, labels = answered.probabilities, answered.labels
    guesses = min(2, probabilities.shape[1])
    order = np.argsort(-probabilities, axis=1, kind="stable")[:, :guesses]
    wrong = np.flatnonzero(order[:, 0] != labels)
    own = probabilities[wrong, labels[wrong]]
    first = probabilities[wrong, order[wrong, 0]]
    worst = np.lexsort((-first, own))
    pairs = confused_pairs(answered.evaluation.confusion, MOST_PAIRS)
    return Mistakes(answered, wrong[worst], order, tuple(pairs), find_label_errors(probabilities, labels))
