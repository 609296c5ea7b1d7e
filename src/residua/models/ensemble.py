"""Trained models joined into one that is saved, evaluated and used like any other."""

from __future__ import annotations

import functools
import operator
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.data.preprocessing import Preprocessing
from residua.data.seen_pictures import SeenPictures
from residua.errors import ConfigError, DataError
from residua.layers import Ensemble
from residua.layers.ensemble import METHODS
from residua.models.model_file import Model

# What a model file says of the data that it was trained on.
ABOUT_DATA = (
    "data", "kind", "size", "validation", "test", "labels", "groups", "region", "seed", "fingerprint",
    "copies", "limit",
)  # fmt: skip
ROUNDS = 1000  # of the search for weights; it stops long before


def join_models(
    models: Sequence[Model], names: Sequence[str], method: str = "mean", weights: Sequence[float] = ()
) -> Model:
    """One model out of several, whose classes and pictures must be the same.

    names: what messages call each. weights: for the method "weighted" (see `best_weights`); they sum to
    one. Every member sees pictures prepared as it was trained with.

    Raises ConfigError for fewer than two members, DataError that names the member that does not fit.
    """
    if len(models) < 2:
        raise ConfigError(f"an ensemble takes two or more models; it was given {len(models)}")
    if method not in METHODS:
        raise ConfigError(f"--method takes {' or '.join(map(repr, METHODS))}; it was given {method!r}")
    if (method == "weighted") != bool(weights):
        raise ConfigError("the method 'weighted' takes a weight for each member, and only it")
    check_members(models, names)
    keys = [f"member{number}" for number in range(1, len(models) + 1)]
    preparations = [model.preprocessing for model in models]
    rows = [_scale_and_shift(preprocessing) for preprocessing in preparations]
    network = Ensemble(
        dict(zip(keys, (model.network for model in models), strict=True)),
        method,
        tuple(weights),
        tuple(row[0] for row in rows),
        tuple(row[1] for row in rows),
    )
    # Raw pixels, read as every member's are: its own scale and shift then give it the very numbers that it
    # was trained on.
    channels = preparations[0].channels
    raw = replace(preparations[0], mean=(0.0,) * channels, std=(1 / 255,) * channels)
    members = [{"file": name, "name": model.name} for name, model in zip(names, models, strict=True)]
    variables = dict(zip(keys, (model.variables for model in models), strict=True))
    title = "ensemble of " + ", ".join(model.name for model in models)
    training = _about_data(models) | {"members": members, "method": method}
    return Model(title, network, variables, models[0].classes, raw, training, seen=_seen(models))


def check_members(models: Sequence[Model], names: Sequence[str]) -> None:
    """Raise DataError unless all models have the same classes and take pictures that are read in one way."""
    first = models[0]
    for model, name in zip(models[1:], names[1:], strict=True):
        if model.classes != first.classes:
            order = " in another order" if set(model.classes) == set(first.classes) else ""
            raise DataError(
                f"{name} knows the classes {_list_names(model.classes)}, "
                f"{names[0]} {_list_names(first.classes)}{order}: "
                "leave it out, or train it on data with the same classes"
            )
        mine, theirs = _describe_input(model.preprocessing), _describe_input(first.preprocessing)
        if mine != theirs:
            raise DataError(
                f"{name} takes pictures of {mine}, {names[0]} of {theirs}: leave it out, or train both on "
                "pictures of one size (--size) and from one base"
            )


def _describe_input(preprocessing: Preprocessing) -> str:
    """The size of pictures and how they are brought to it, in words."""
    text = f"{preprocessing.height}x{preprocessing.width}x{preprocessing.channels}"
    if preprocessing.source is not None:
        text += f" made of {preprocessing.source[0]}x{preprocessing.source[1]}"
    if preprocessing.resize is not None:
        text += f" out of the middle of {preprocessing.resize}x{preprocessing.resize}"
    return text if preprocessing.order == "RGB" else f"{text} in the order {preprocessing.order}"


def _list_names(classes: tuple[str, ...], most: int = 4) -> str:
    return ", ".join(classes[:most]) + (f", ... ({len(classes)})" if len(classes) > most else "")


def _scale_and_shift(preprocessing: Preprocessing) -> tuple[tuple[float, ...], tuple[float, ...]]:
    scales = tuple(1 / (255 * std) for std in preprocessing.std)
    return scales, tuple(-mean / std for mean, std in zip(preprocessing.mean, preprocessing.std, strict=True))


def _about_data(models: Sequence[Model]) -> dict[str, Any]:
    """What the first says of its data, if all were trained on the same: by name, or by what they hold."""
    first = models[0].training
    for key in ("data", "fingerprint"):
        if first.get(key) is not None and all(model.training.get(key) == first[key] for model in models):
            return {key: first[key] for key in ABOUT_DATA if key in first}
    return {"data": None}


def _seen(models: Sequence[Model]) -> SeenPictures | None:
    """The pictures that any of them has seen, as far as they know them again."""
    known = [model.seen for model in models if model.seen is not None]
    return functools.reduce(operator.or_, known) if known else None


def best_weights(
    probabilities: Sequence[NDArray[np.float32]], labels: NDArray[np.int64]
) -> tuple[float, ...]:
    """The weights, summing to one, whose weighted mean makes the labels most probable.

    probabilities: (N, classes) of each member, of pictures that none was trained on. By expectation
    maximisation (Dempster, Laird, Rubin 1977, section 4.3); the likelihood has one maximum.
    """
    rows = np.arange(len(labels))
    of_labels = np.stack([part[rows, labels] for part in probabilities], axis=1).astype(np.float64)
    of_labels = np.maximum(of_labels, np.finfo(np.float32).tiny)
    weights = np.full(len(probabilities), 1 / len(probabilities))
    for _ in range(ROUNDS):
        shares = weights * of_labels
        after = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
        change, weights = np.abs(after - weights).max(), after
        if change < 1e-9:
            break
    return tuple(float(weight) for weight in weights / weights.sum())
