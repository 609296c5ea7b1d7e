"""What a page says of its model beside its answers: how good it is, what it confuses, when it is not sure."""

from __future__ import annotations

import datetime
from importlib.metadata import version
from typing import Any

import numpy as np

from residua.config import PageConfig
from residua.deploy.onnx.metadata import read_test
from residua.files.names import printable
from residua.insight.calibration.numbers import coverage_at
from residua.insight.evaluation.numbers import confused_pairs
from residua.insight.prediction.numbers import least_confidence
from residua.models.model_file import Model

USUAL_ACCURACY = 0.95  # of the answers that are given, where nothing was asked for
MOST_PAIRS = 5


def describe_facts(model: Model, config: PageConfig) -> dict[str, Any]:
    """Plain JSON types. Raises ConfigError as `least_sure`."""
    tested, confusion = read_test(model.file)
    today = datetime.date.today().isoformat()
    source = model.name if model.file is None else model.file.name
    return {
        "name": printable(model.name),
        "classes": [printable(name) for name in model.classes],
        "tested": tested,
        "pairs": find_pairs(confusion, model.classes),
        "notSure": least_sure(model, config),
        "made": {"version": version("residua"), "source": printable(source), "date": today},
    }


def least_sure(model: Model, config: PageConfig) -> dict[str, Any] | None:
    """The probability below which the page says 'not sure', and what is known of answers above it.

    Without an option that for 95 % right answers, where calibration found one; None where nothing is known.
    Raises ConfigError as `least_confidence`.
    """
    threshold = least_confidence(model, config)
    if config.reject is not None:
        return {"threshold": threshold}
    if model.calibration is None:
        return None
    found = coverage_at(model.calibration, config.reject_accuracy or USUAL_ACCURACY)
    return None if found is None else dict(vars(found))


def find_pairs(counted: Any, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """The most frequent mistakes in a confusion matrix as it was read; none in what is no such matrix."""
    try:
        confusion = np.array(counted, np.int64)
    except (ValueError, TypeError):
        return []
    if confusion.shape != (len(classes), len(classes)):
        return []
    counts = confusion.sum(axis=1)
    return [
        {"true": printable(classes[true]), "answer": printable(classes[answer]), "count": count}
        | {"all": int(counts[true])}
        for true, answer, count in confused_pairs(confusion, MOST_PAIRS)
    ]
