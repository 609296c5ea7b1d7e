"""A fitted classifier in a model file: its labels in their own type, its parameters in plain ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.classifier.labels import restore_labels, store_labels
from residua.classifier.rows import Range
from residua.config.plain import plain, plain_tree
from residua.errors import ConfigError, ModelFileError
from residua.models.model_file import Model

KEY = "classifier"  # in a model's `training`; what `residua train` writes there is not touched


@dataclass(frozen=True, eq=False)
class Stored:
    """What a model file says of a classifier: parameters, labels, and how rows of numbers are read."""

    parameters: dict[str, Any]
    classes: NDArray[Any]
    limits: Range | None = None


def with_classifier(model: Model, stored: Stored) -> Model:
    """The model, with what `read_classifier` reads. Raises ConfigError for parameters no file can keep."""
    parameters = dict(stored.parameters)
    weights = plain(parameters.get("class_weight"))
    if isinstance(weights, dict):  # JSON's keys are text; labels need not be
        parameters["class_weight"] = [[plain(label), plain(weight)] for label, weight in weights.items()]
    state = plain(parameters.get("random_state"))
    parameters["random_state"] = state if isinstance(state, int) else None
    parameters = plain_tree(parameters)
    _check_plain(parameters)
    kept = {"parameters": parameters, **store_labels(stored.classes)}
    if stored.limits is not None:
        kept["limits"] = list(stored.limits)
    return replace(model, training=model.training | {KEY: kept})


def read_classifier(model: Model, known: set[str], path: str) -> Stored:
    """What `with_classifier` kept; the defaults, and the classes' names as labels, for any other model.

    known: the parameters that there are. Raises ModelFileError where the file holds something else.
    """
    names = np.array(model.classes)
    kept = model.training.get(KEY)
    if kept is None:
        return _read_old(model, known, names)
    try:
        parameters = dict(kept["parameters"])
        if unknown := sorted(set(parameters) - known):
            raise ValueError(f"it has parameters that this residua does not know ({', '.join(unknown[:3])})")
        if isinstance(weights := parameters.get("class_weight"), list):
            parameters["class_weight"] = dict(weights)
        if isinstance(shape := parameters.get("image_shape"), list):
            parameters["image_shape"] = tuple(shape)
        limits = kept.get("limits")
        if limits is not None:
            low, high = map(float, limits)
            if not -np.inf < low < high < np.inf:
                raise ValueError("its limits are no range")
            limits = (low, high)
        return Stored(parameters, restore_labels(kept, model.classes), limits)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise ModelFileError(f"{path} is not a usable model file: {error}") from None


def _read_old(model: Model, known: set[str], names: NDArray[Any]) -> Stored:
    """Labels and parameters as they were kept until 0.1, where they are; they stood beside a run's own."""
    labels, parameters = model.training.get("labels"), model.training.get("parameters")
    if model.training.get("kind") != "arrays" or not isinstance(labels, list):
        return Stored({}, names)
    fitting = [str(label) for label in labels] == list(model.classes)
    usable = isinstance(parameters, dict) and set(parameters) <= known
    return Stored(parameters if usable and parameters else {}, np.asarray(labels) if fitting else names)


def _check_plain(value: Any, name: str = "") -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _check_plain(item, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for item in value:
            _check_plain(item, name)
    elif not isinstance(value, str | int | float | type(None)):
        raise ConfigError(
            f"the parameter {name} is {value!r}, which no model file can keep: set it to a plain value"
        )
