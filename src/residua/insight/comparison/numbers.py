"""Trained models side by side on the same pictures, and whether their difference is more than chance."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import CompareConfig, EvaluateConfig
from residua.data.seen_pictures import picture_digests
from residua.errors import ConfigError, DataError
from residua.insight.comparison.runs import differing_settings, model_names, run_facts, run_of
from residua.insight.comparison.significance import difference_interval, holm, mcnemar
from residua.insight.evaluation.model_data import same_data
from residua.insight.evaluation.numbers import Evaluation
from residua.insight.evaluation.predictions import Predictions, predict_split
from residua.models.model_file import find_model, load_model
from residua.variables import count_parameters

Say = Callable[[str], None]
Right = NDArray[np.bool_]
MOST_PAIRS = 20  # that are named and drawn


@dataclass(frozen=True)
class Side:
    """One of the models: its metrics on the split, and what is known of its training.

    epochs, seconds: done, and spent training; None for a model file without its run. settings: the options
    in which the runs differ, None where it has none. machine: processor and threads of the run.
    """

    name: str
    model: str
    evaluation: Evaluation
    parameters: int
    epochs: int | None = None
    seconds: float | None = None
    settings: dict[str, Any] | None = None
    machine: str = ""


@dataclass(frozen=True)
class Pair:
    """Two of the models, the more accurate first, as indices of `Comparison.sides`.

    first_only, second_only: pictures on which only that one is right. difference: of the accuracies, with
    its interval. probability: McNemar's, adjusted: by Holm for all pairs. significant: whether the difference
    is more than chance.
    """

    first: int
    second: int
    first_only: int
    second_only: int
    difference: float
    interval: tuple[float, float]
    probability: float
    adjusted: float
    significant: bool

    @property
    def told(self) -> bool:
        """The earlier name of `significant`."""
        warnings.warn("Pair.told is called Pair.significant now", DeprecationWarning, stacklevel=2)
        return self.significant


@dataclass(frozen=True)
class Comparison:
    """Models on one split; every interval of a difference holds for all pairs together."""

    data: str
    split: str
    pictures: int
    level: float
    sides: tuple[Side, ...]
    pairs: tuple[Pair, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        names = [side.name for side in self.sides]
        sides = [
            {"name": side.name, "model": side.model}
            | {key: getattr(side, key) for key in ("parameters", "epochs", "seconds", "settings")}
            | {
                key: getattr(side.evaluation, key)
                for key in ("accuracy", "correct", "balanced_accuracy", "loss", "calibration_error")
            }
            | {"interval": list(side.evaluation.interval), "trained_on": side.evaluation.trained_on}
            | {"chosen_by": side.evaluation.chosen_by, "left_out": side.evaluation.left_out}
            for side in self.sides
        ]
        pairs = [
            {"told" if name == "significant" else name: value for name, value in asdict(pair).items()}
            | {"first": names[pair.first], "second": names[pair.second], "interval": list(pair.interval)}
            for pair in self.pairs
        ]
        own = {"data": self.data, "split": self.split, "pictures": self.pictures, "level": self.level}
        return own | {"runs": sides, "pairs": pairs}


def compare_models(models: Sequence[str | Path], config: CompareConfig, say: Say) -> Comparison:
    """Model files and run folders on the same pictures: metrics, and a test for each pair.

    Raises ConfigError for fewer than two, or one twice; ModelFileError for a run without a model;
    DataError where data, classes or pictures are not the same.
    """
    paths = [Path(model) for model in models]
    if len(paths) < 2:
        raise ConfigError(f"compare takes two or more run folders or model files; {len(paths)} came")
    files = [find_model(path) for path in paths]
    real = [file.resolve() for file in files]
    for index, file in enumerate(real):
        if file in real[:index]:
            raise ConfigError(f"each model can be compared once: {paths[index]} is there already")
    names, runs = model_names(paths), [run_of(path) for path in paths]
    evaluate_config = EvaluateConfig.of(config)
    sides, rights = [], []
    first: Predictions | None = None
    for name, file, run in zip(names, files, runs, strict=True):
        model = load_model(file)
        if config.data is None and model.training.get("data") is None:
            raise ConfigError(f"{name} does not say what it was trained on: name a data set with --data")
        answered = predict_split(model, evaluate_config, partial(_say_of, name, say))
        if first is None:
            first = answered
        else:
            _check_same(first, names[0], answered, name)
        rights.append(answered.chosen == answered.labels)
        side = Side(name, model.name, answered.evaluation, count_parameters(model.variables))
        sides.append(side if run is None else replace(side, **vars(run_facts(run, name, say))))
        # Pictures of the others would fill the memory; they are the first one's.
    assert first is not None
    settings = differing_settings(runs)
    sides = [replace(side, settings=own) for side, own in zip(sides, settings, strict=True)]
    pairs = _pairs(rights, config)
    return Comparison(first.data, first.split, len(first), config.level, tuple(sides), pairs)


def _say_of(name: str, say: Say, line: str) -> None:
    say(type(line)(f"{name}: {line}"))


def _pairs(rights: Sequence[Right], config: CompareConfig) -> tuple[Pair, ...]:
    """Every pair, tested; the interval of each so wide that all hold together (Bonferroni)."""
    pictures, pairs = len(rights[0]), []
    both = list(combinations(range(len(rights)), 2))
    for one, two in both:
        better, worse = (one, two) if rights[one].sum() >= rights[two].sum() else (two, one)
        first_only = int((rights[better] & ~rights[worse]).sum())
        second_only = int((rights[worse] & ~rights[better]).sum())
        interval = difference_interval(
            first_only, second_only, pictures, config.level / len(both), config.draws, config.seed
        )
        probability = mcnemar(first_only, second_only)
        difference = (first_only - second_only) / pictures
        pairs.append(
            Pair(
                better, worse, first_only, second_only, difference, interval, probability, probability, False
            )
        )
    adjusted = holm([pair.probability for pair in pairs])
    return tuple(
        replace(pair, adjusted=own, significant=own < config.level)
        for pair, own in zip(pairs, adjusted, strict=True)
    )


def _check_same(first: Predictions, first_name: str, other: Predictions, name: str) -> None:
    """Raise DataError where two models did not answer for the same pictures."""
    if not same_data(first.data, other.data) and not _same_pictures(first, other):
        raise DataError(
            f"compare needs one set of test pictures: {first_name} is of {first.data}, {name} of "
            f"{other.data}; name one that both know with --data"
        )
    if set(first.classes) != set(other.classes):
        unshared = sorted(set(first.classes) ^ set(other.classes))
        raise DataError(
            f"compare needs models of the same classes: {first_name} has {len(first.classes)}, {name} "
            f"{len(other.classes)}, and not both know {', '.join(unshared[:4])}"
        )
    first_labels = dict(
        zip(first.pictures.names, (first.classes[label] for label in first.labels), strict=True)
    )
    labels = dict(zip(other.pictures.names, (other.classes[label] for label in other.labels), strict=True))
    if first_labels != labels:
        shared = sum(first_labels.get(file) == label for file, label in labels.items())
        raise DataError(
            f"compare needs the same {first.split} pictures: {first_name} has {len(first):,}, {name} "
            f"{len(other):,}, {shared:,} in common (another --seed draws another split); name a folder that "
            "neither was trained on with --data"
        )
    if first.pictures.names != other.pictures.names:
        raise DataError(f"the {first.split} pictures of {first_name} and {name} come in another order")


def _same_pictures(first: Predictions, other: Predictions) -> bool:
    """Whether two models answered for the same pictures, wherever these lie."""
    one, two = first.pictures, other.pictures
    if tuple(one.names) != tuple(two.names) or one.images.shape != two.images.shape:
        return False
    return bool((picture_digests(one.images) == picture_digests(two.images)).all())


def shown_pairs(comparison: Comparison) -> tuple[Pair, ...]:
    """The pairs that are named and drawn: all, or of many what a reader looks for.

    That is pairs with the most accurate model first, then the nearest others.
    """
    if len(comparison.pairs) <= MOST_PAIRS:
        return comparison.pairs
    best = max(range(len(comparison.sides)), key=lambda index: comparison.sides[index].evaluation.accuracy)
    order = sorted(
        comparison.pairs, key=lambda pair: (best not in (pair.first, pair.second), pair.difference)
    )
    return tuple(order[:MOST_PAIRS])
