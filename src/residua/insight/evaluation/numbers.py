"""How good a classifier is, in numbers: what `residua evaluate` reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.training.inference import Answers

TERMINAL = 80  # columns


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
    calibration error over 15 bins of equal width (Guo et al. 2017, equation 3).
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

    @property
    def part(self) -> str:
        """The split in words."""
        return f"{self.split} split" if self.split in ("train", "validation", "test") else self.split

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        entries = dict(vars(self))
        entries["interval"] = list(self.interval)
        entries["classes"] = [dict(vars(entry)) for entry in self.classes]
        entries["confusion"] = self.confusion.tolist()
        return entries


def measure(answers: Answers, names: tuple[str, ...], data: str, split: str) -> Evaluation:
    """All metrics of these answers. Classes without pictures count for nothing in the balanced accuracy."""
    from scipy.stats import binomtest
    from sklearn.metrics import precision_recall_fscore_support

    probabilities, labels = answers.probabilities, answers.labels
    chosen = probabilities.argmax(axis=1)
    every = np.arange(len(names))
    precision, recall, f1, support = precision_recall_fscore_support(
        labels, chosen, labels=every, zero_division=0.0
    )
    correct = int((chosen == labels).sum())
    interval = binomtest(correct, len(labels)).proportion_ci(method="wilson")
    # A class is within the first five if fewer than five others are more probable.
    own = probabilities[np.arange(len(labels)), labels]
    top5 = float(((probabilities > own[:, None]).sum(axis=1) < 5).mean())
    return Evaluation(
        data=data,
        split=split,
        pictures=len(labels),
        correct=correct,
        accuracy=answers.accuracy,
        interval=(float(interval.low), float(interval.high)),
        top5_accuracy=top5,
        balanced_accuracy=float(recall[support > 0].mean()),
        loss=answers.loss,
        calibration_error=calibration_error(probabilities, labels),
        classes=tuple(
            ClassMetrics(name, int(s), float(p), float(r), float(f))
            for name, p, r, f, s in zip(names, precision, recall, f1, support, strict=True)
        ),
        confusion=_confusion(labels, chosen, len(names)),
    )


def _confusion(labels: NDArray[np.int64], chosen: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """(classes, classes) counts: rows are the true classes."""
    counts = np.bincount(labels * classes + chosen, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64)


def calibration_error(probabilities: NDArray[np.float32], labels: NDArray[np.int64], bins: int = 15) -> float:
    """The gap between confidence and accuracy, averaged over bins of confidence by their pictures."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    places = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    gaps = np.abs(
        np.bincount(places, weights=confidence, minlength=bins)
        - np.bincount(places, weights=right.astype(np.float64), minlength=bins)
    )
    return float(gaps.sum() / len(labels))


def evaluation_text(evaluation: Evaluation) -> str:
    """The evaluation as a page of text: figures, a table of classes, the confusion matrix."""
    e = evaluation
    low, high = e.interval
    lines = [
        f"{e.data}, {e.part}: {e.pictures:,} pictures, {len(e.classes)} classes",
        "",
        f"  top-1 accuracy              {100 * e.accuracy:6.2f} %   ({e.correct:,} right)",
        f"    95 % interval             {100 * low:6.2f} % to {100 * high:.2f} %",
        # With five classes or fewer it is always 100 %.
        *([f"  top-5 accuracy              {100 * e.top5_accuracy:6.2f} %"] if len(e.classes) > 5 else []),
        f"  balanced accuracy           {100 * e.balanced_accuracy:6.2f} %",
        f"  negative log-likelihood     {e.loss:8.4f}",
        f"  expected calibration error  {100 * e.calibration_error:6.2f} %",
        "",
    ]
    width = max(len("class"), *(len(entry.name) for entry in e.classes))
    lines.append(f"  {'class':<{width}}  pictures  precision    recall        F1")
    lines += [
        f"  {entry.name:<{width}}  {entry.pictures:8,}  {100 * entry.precision:7.2f} %"
        f"  {100 * entry.recall:6.2f} %  {100 * entry.f1:6.2f} %"
        for entry in e.classes
    ]
    if len(e.classes) <= 20:
        lines += ["", "  confusion matrix: rows are the true classes, columns the answers"]
        lines += ["  " + line for line in _confusion_lines(e)]
    elif e.correct < e.pictures:
        lines += ["", "  most frequent mistakes"]
        lines += [f"  {name}" for name in _mistakes(e)]
    return "\n".join(lines)


def _mistakes(e: Evaluation, most: int = 10) -> list[str]:
    wrong = e.confusion - np.diag(np.diag(e.confusion))
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    pairs = [divmod(int(place), len(e.classes)) for place in order if wrong.flat[place]]
    width = max(len(e.classes[true].name) for true, _ in pairs)
    return [
        f"{wrong[true, answer]:5,} x {e.classes[true].name:<{width}}  taken for {e.classes[answer].name}"
        for true, answer in pairs
    ]


def _confusion_lines(e: Evaluation) -> list[str]:
    names = [entry.name for entry in e.classes]
    width = max(len(name) for name in names)
    digits = max(4, *(len(f"{n:,}") for n in e.confusion.flat))
    # Names are cut to fit a terminal, as far as they stay different.
    letters = max(digits, min((TERMINAL - 2 - width) // len(names) - 1, 12))
    while letters < max(map(len, names)) and len({name[:letters] for name in names}) < len(names):
        letters += 1
    cell = max(digits, min(letters, max(map(len, names)))) + 1
    head = " " * width + "".join(f"{name[:letters]:>{cell}}" for name in names)
    rows = [
        f"{name:<{width}}" + "".join(f"{n:>{cell},}" if n else f"{'.':>{cell}}" for n in row)
        for name, row in zip(names, e.confusion.tolist(), strict=True)
    ]
    return [head, *rows]
