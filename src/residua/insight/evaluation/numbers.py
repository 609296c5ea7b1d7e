"""How good a classifier is, in numbers: what `residua evaluate` reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.insight.shared.intervals import wilson_interval
from residua.insight.shared.text import split_name
from residua.training.inference import LabelledProbabilities


@dataclass(frozen=True)
class ClassMetrics:
    """One class: shares between 0 and 1, and how many pictures it has."""

    name: str
    pictures: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Evaluation:
    """One split of a data set under one model; shares lie between 0 and 1.

    interval: 95 % confidence interval of the accuracy (Wilson 1927). confusion: (classes, classes),
    rows are the true classes. loss: mean negative log-likelihood in nats. calibration_error: expected
    calibration error over 15 bins of equal width (Guo et al. 2017, equation 3). trained_on: how many of the
    pictures the model was trained on, chosen_by: how many others chose its best epoch; None where its file
    keeps no record. left_out: pictures of each class that it does not know.
    """

    data: str
    split: str
    pictures: int
    correct: int
    accuracy: float
    interval: tuple[float, float]
    top5_accuracy: float
    balanced_accuracy: float
    loss: float
    calibration_error: float
    classes: tuple[ClassMetrics, ...]
    confusion: NDArray[np.int64]
    trained_on: int | None = None
    chosen_by: int | None = None
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def part(self) -> str:
        """The split in words."""
        return split_name(self.split)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        entries = dict(vars(self))
        entries["interval"] = list(self.interval)
        entries["classes"] = [dict(vars(entry)) for entry in self.classes]
        entries["confusion"] = self.confusion.tolist()
        return entries


def measure(answers: LabelledProbabilities, names: tuple[str, ...], data: str, split: str) -> Evaluation:
    """All metrics of these answers. Classes without pictures count for nothing in the balanced accuracy."""
    probabilities, labels = answers.probabilities, answers.labels
    chosen = probabilities.argmax(axis=1)
    confusion = _confusion(labels, chosen, len(names))
    right, support, answered = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall = _shares(right, answered), _shares(right, support)
    f1 = _shares(2 * right, support + answered)
    correct = int((chosen == labels).sum())
    # A class is within the first five if fewer than five others are more probable.
    own = probabilities[np.arange(len(labels)), labels]
    top5 = float(((probabilities > own[:, None]).sum(axis=1) < 5).mean())
    return Evaluation(
        data=data,
        split=split,
        pictures=len(labels),
        correct=correct,
        accuracy=answers.accuracy,
        interval=wilson_interval(correct, len(labels)),
        top5_accuracy=top5,
        balanced_accuracy=float(recall[support > 0].mean()),
        loss=answers.loss,
        calibration_error=calibration_error(probabilities, labels),
        classes=tuple(
            ClassMetrics(name, int(s), float(p), float(r), float(f))
            for name, p, r, f, s in zip(names, precision, recall, f1, support, strict=True)
        ),
        confusion=confusion,
    )


def _confusion(labels: NDArray[np.int64], chosen: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """(classes, classes) counts: rows are the true classes."""
    counts = np.bincount(labels * classes + chosen, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def _shares(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """A part of nothing is 0."""
    return part / np.maximum(whole, 1)


def calibration_error(probabilities: NDArray[np.float32], labels: NDArray[np.int64], bins: int = 15) -> float:
    """The gap between confidence and accuracy, averaged over bins of confidence by their pictures."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    bin_indices = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.abs(
        np.bincount(bin_indices, weights=confidence, minlength=bins)
        - np.bincount(bin_indices, weights=right.astype(np.float64), minlength=bins)
    )
    return float(gaps.sum() / len(labels))


def confused_pairs(confusion: NDArray[np.int64], most: int) -> list[tuple[int, int, int]]:
    """The most frequent mistakes as (true class, answer, pictures), most frequent first."""
    wrong = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    rows = [(*divmod(int(place), len(confusion)), int(wrong.flat[place])) for place in order]
    return [row for row in rows if row[2]]
