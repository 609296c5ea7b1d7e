"""How good a classifier is, in numbers: what `residua evaluate` reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.insight.evaluation.tally import Tally
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
    """All metrics of these answers."""
    return evaluation_of(Tally.of(answers), names, data, split)


def evaluation_of(tally: Tally, names: tuple[str, ...], data: str, split: str) -> Evaluation:
    """All metrics of such sums. Classes without pictures count for nothing in the balanced accuracy."""
    confusion, pictures = tally.confusion, tally.pictures
    right, support, answered = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    precision, recall = _shares(right, answered), _shares(right, support)
    f1 = _shares(2 * right, support + answered)
    correct = int(right.sum())
    return Evaluation(
        data=data,
        split=split,
        pictures=pictures,
        correct=correct,
        accuracy=correct / pictures,
        interval=wilson_interval(correct, pictures),
        top5_accuracy=tally.top5 / pictures,
        balanced_accuracy=float(recall[support > 0].mean()),
        loss=tally.loss / pictures,
        calibration_error=tally.calibration_error,
        classes=tuple(
            ClassMetrics(name, int(s), float(p), float(r), float(f))
            for name, p, r, f, s in zip(names, precision, recall, f1, support, strict=True)
        ),
        confusion=confusion,
    )


def _shares(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    """A part of nothing is 0."""
    return part / np.maximum(whole, 1)


def confused_pairs(confusion: NDArray[np.int64], most: int) -> list[tuple[int, int, int]]:
    """The most frequent mistakes as (true class, answer, pictures), most frequent first."""
    wrong = confusion - np.diag(np.diag(confusion))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    rows = [(*divmod(int(place), len(confusion)), int(wrong.flat[place])) for place in order]
    return [row for row in rows if row[2]]
