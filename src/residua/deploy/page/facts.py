"""What a page says of its model beside its answers: how good it is, what it confuses, when it is not sure."""

from __future__ import annotations

import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from residua.config import PageConfig
from residua.deploy.onnx.metadata import tested
from residua.errors import ConfigError
from residua.files.names import printable
from residua.files.strict_json import parse_json
from residua.insight.evaluation.numbers import confused_pairs
from residua.models.model_file import Model

USUAL_ACCURACY = 0.95  # of the answers that are given, where nothing was asked for
MOST_PAIRS = 5


def describe_facts(model: Model, config: PageConfig) -> dict[str, Any]:
    """Plain JSON types. Raises ConfigError as `least_sure`."""
    today = datetime.date.today().isoformat()
    source = model.name if model.file is None else model.file.name
    return {
        "name": printable(model.name),
        "classes": [printable(name) for name in model.classes],
        "tested": tested(model.file),
        "pairs": find_pairs(model.file, model.classes),
        "notSure": least_sure(model, config),
        "made": {"version": version("residua"), "source": printable(source), "date": today},
    }


def least_sure(model: Model, config: PageConfig) -> dict[str, Any] | None:
    """The probability below which the page says 'not sure', and what is known of answers above it.

    Without an option that for 95 % right answers, where calibration found one; None where nothing is known.
    Raises ConfigError where a model does not have what an option asks for.
    """
    if config.reject is not None and config.reject_accuracy is not None:
        raise ConfigError("choose one of --reject and --reject-accuracy")
    if config.reject is not None:
        return {"threshold": config.reject}
    if model.calibration is None:
        if config.reject_accuracy is None:
            return None
        raise ConfigError(
            "--reject-accuracy takes a model whose thresholds are known: run `residua calibrate` on it "
            "first, or give a probability with --reject"
        )
    try:
        found = model.calibration.threshold(config.reject_accuracy or USUAL_ACCURACY)
    except ConfigError:
        if config.reject_accuracy is not None:
            raise
        return None
    return {"threshold": found.threshold, "accepted": found.accepted, "right": found.right}


def find_pairs(file: Path | None, classes: tuple[str, ...]) -> list[dict[str, Any]]:
    """The most frequent mistakes on the test split that the run's end measured; none where none did."""
    if tested(file) is None or file is None:
        return []
    try:
        confusion = np.array(parse_json(file.with_name("test.json").read_bytes())["confusion"], np.int64)
    except (OSError, ValueError, TypeError, KeyError):
        return []
    if confusion.shape != (len(classes), len(classes)):
        return []
    counts = confusion.sum(axis=1)
    return [
        {"true": printable(classes[true]), "answer": printable(classes[answer]), "count": count}
        | {"all": int(counts[true])}
        for true, answer, count in confused_pairs(confusion, MOST_PAIRS)
    ]
