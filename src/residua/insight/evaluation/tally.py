"""What of answers is added up: the sums of parts give the metrics of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.training.inference import LabelledProbabilities

BINS = 15  # of confidence, of equal width


@dataclass(frozen=True, eq=False)
class Tally:
    """Sums over the answers to some pictures.

    confusion: (classes, classes) counts, rows are the true classes. loss: negative log-likelihoods, in nats.
    top5: pictures whose class is among the five most probable. confidence, right: (15,) by bins of the first
    answer's probability, how large these are together, and how many of the answers are right.
    """

    confusion: NDArray[np.int64]
    loss: float
    top5: int
    confidence: NDArray[np.float64]
    right: NDArray[np.int64]

    @classmethod
    def none(cls, classes: int) -> Tally:
        """Of no pictures."""
        sums = np.zeros(BINS)
        return cls(np.zeros((classes, classes), np.int64), 0.0, 0, sums, sums.astype(np.int64))

    @classmethod
    def of(cls, answers: LabelledProbabilities) -> Tally:
        """Of these answers, (N, classes) probabilities with (N,) labels."""
        probabilities, labels = answers.probabilities, answers.labels
        classes = probabilities.shape[1]
        chosen = probabilities.argmax(axis=1)
        counts = np.bincount(labels * classes + chosen, minlength=classes * classes)
        # A class is within the first five if fewer than five others are more probable.
        own = probabilities[np.arange(len(labels)), labels]
        top5 = int(((probabilities > own[:, None]).sum(axis=1) < 5).sum())
        return cls(
            counts.reshape(classes, classes).astype(np.int64),
            float(answers.losses().sum()),
            top5,
            *_bins(probabilities, labels, BINS),
        )

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, name) + getattr(other, name) for name in vars(self)))

    @property
    def pictures(self) -> int:
        """How many were answered."""
        return int(self.confusion.sum())

    @property
    def calibration_error(self) -> float:
        """The gap between confidence and accuracy, averaged over the bins by their pictures."""
        return _gap(self.confidence, self.right, self.pictures)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; of the counts those that are not 0."""
        rows, columns = np.nonzero(self.confusion)
        cells = np.stack([rows, columns, self.confusion[rows, columns]], axis=1)
        plain = {name: value.tolist() for name, value in vars(self).items() if isinstance(value, np.ndarray)}
        return dict(vars(self)) | plain | {"classes": len(self.confusion), "confusion": cells.tolist()}

    @classmethod
    def from_dict(cls, document: dict[str, Any]) -> Tally:
        """What `to_dict` gave. Raises KeyError, TypeError, ValueError or IndexError for anything else."""
        confusion = np.zeros((document["classes"], document["classes"]), np.int64)
        for row, column, count in document["confusion"]:
            confusion[row, column] = count
        return cls(
            confusion,
            float(document["loss"]),
            int(document["top5"]),
            np.array(document["confidence"], np.float64),
            np.array(document["right"], np.int64),
        )


def calibration_error(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], bins: int = BINS
) -> float:
    """The gap between confidence and accuracy, averaged over bins of confidence by their pictures."""
    return _gap(*_bins(probabilities, labels, bins), len(labels))


def _bins(
    probabilities: NDArray[np.float32], labels: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(count,) of each bin the sum of the first answers' probabilities, and how many of them are right."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    places = np.minimum((confidence * count).astype(np.int64), count - 1)
    right = places[probabilities.argmax(axis=1) == labels]
    sums: NDArray[np.float64] = np.bincount(places, confidence, count).astype(np.float64)
    return sums, np.bincount(right, minlength=count).astype(np.int64)


def _gap(confidence: NDArray[np.float64], right: NDArray[np.int64], pictures: int) -> float:
    return float(np.abs(confidence - right).sum() / pictures)
