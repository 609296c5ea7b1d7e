"""What a model answers on a split of a data set: the one place that reads the test split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from residua.config import DataOptions, EvaluateConfig
from residua.data import DATASETS, DataSet, Pictures, open_dataset
from residua.data.batches import Batches
from residua.data.dataset import SPLITS
from residua.data.pictures.arrays import join_images
from residua.data.views import VIEWS, mean_probabilities
from residua.engines import open_engine
from residua.errors import ConfigError, DataError
from residua.files.names import printable
from residua.insight.evaluation.numbers import Evaluation, measure
from residua.insight.shared.text import split_name
from residua.models.model_file import Model
from residua.training.inference import LabelledProbabilities, predict_probabilities

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model answers on a labelled split, with the pictures: what figures and reports are made of.

    data, split: their names. pictures: (N, H, W, C) uint8 as stored, labels (N,) int64 in the model's order
    of classes, names (N,). probabilities: (N, classes) float32, as `residua predict` gives them.
    """

    model: Model
    data: str
    split: str
    pictures: Pictures
    probabilities: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def labels(self) -> NDArray[np.int64]:
        """(N,) the true classes, as indices of `classes`."""
        return self.pictures.labels

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes."""
        return self.model.classes

    @property
    def chosen(self) -> NDArray[np.int64]:
        """(N,) the most probable classes."""
        chosen: NDArray[np.int64] = self.probabilities.argmax(axis=1)
        return chosen

    @property
    def title(self) -> str:
        """Data and split in words, short."""
        return printable(f"{Path(self.data).name or self.data}, {split_name(self.split)}")

    @cached_property
    def evaluation(self) -> Evaluation:
        """All metrics."""
        return measure(
            LabelledProbabilities(self.probabilities, self.labels), self.classes, self.data, self.split
        )


def predict_split(
    model: Model, config: EvaluateConfig, say: Say, most: int | None = None, opened: OpenedData | None = None
) -> Predictions:
    """The model's answers on a split of the data it was trained on, or of other data.

    most: of larger splits so many pictures, evenly taken. opened: the data, where it is open already. Other
    data must have the model's classes, by name; a folder of them without test/ is taken whole.
    Raises DataError where classes or pictures do not match, ConfigError where no data is known.
    """
    name, split, pictures = read_pictures(model, config, say, opened)
    if most is not None and len(pictures) > most:
        pictures = pictures.take(np.linspace(0, len(pictures) - 1, most).round().astype(np.int64))
    views, shape, frozen = VIEWS[config.views], model.preprocessing, model.frozen()
    engine = open_engine(config.engine, threads=config.threads, work=len(views) * model.work(len(pictures)))
    every = [
        predict_probabilities(engine, *frozen, Batches(pictures, shape, None, config.batch, view=view))
        for view in views
    ]
    return Predictions(
        model, name, split, pictures, mean_probabilities([answers.probabilities for answers in every])
    )


def evaluate_model(model: Model, config: EvaluateConfig, say: Say) -> Evaluation:
    """The metrics of `predict_split`. Raises as it does."""
    return predict_split(model, config, say).evaluation


@dataclass(frozen=True, eq=False)
class OpenedData:
    """The data that a model is asked about; same: what it was trained on; whole: it has no test split."""

    name: str
    data: DataSet
    same: bool
    whole: bool


def open_data(model: Model, config: EvaluateConfig, say: Say) -> OpenedData:
    """The data that the model was trained on, split as it was then, or other data.

    Raises as `predict_split`.
    """
    known = model.training
    name = config.data or known.get("data")
    if name is None:
        raise ConfigError("this model does not say what it was trained on: name a data set with --data")
    same = known.get("data") is not None and same_data(name, known["data"])
    card = DATASETS.get(name)
    is_folder = Path(name).is_dir() or (card is not None and card.kind == "folder")
    folder = known.get("kind") == "folder" if same else is_folder
    shape = model.preprocessing
    options = DataOptions(
        data=known["data"] if same and not folder else name,
        data_dir=config.data_dir,
        labels=config.labels or (known.get("labels") if same else None),
        size=shape.reading[0] if folder else None,
        validation=known.get("validation") if same else None,
        test=known.get("test") if same else None,
        groups=known.get("groups", "kept") if same else "kept",
        region=bool(known.get("region")) if same else False,
    )
    data = open_dataset(options, int(known.get("seed", 0)) if same else 0, say=say, channels=shape.channels)
    height, width = shape.reading if folder else shape.stored
    expected, actual = (height, width, shape.channels), (data.height, data.width, data.channels)
    if actual != expected:
        raise DataError(
            f"{name} has pictures of {_times(actual)}, this model takes {_times(expected)}: evaluate it on "
            "others, or on a folder of pictures, which are brought to size"
        )
    if same and folder and data.fingerprint("train") != known.get("fingerprint"):
        say(
            f"{name} has changed since this model was trained: "
            "its test split may hold pictures that the model has seen"
        )
    own = data.card.kind == "folder" and not data.card.layout
    return OpenedData(name, data, same, own and not same and not (Path(name) / "test").is_dir())


def read_pictures(
    model: Model, config: EvaluateConfig, say: Say, opened: OpenedData | None = None
) -> tuple[str, str, Pictures]:
    """The data's name, the split's, and its pictures with labels in the model's order of classes.

    Raises as `predict_split`.
    """
    opened = opened or open_data(model, config, say)
    name, data = opened.name, opened.data
    pictures = _whole(data) if opened.whole else data.read(config.split)
    if not len(pictures):
        raise DataError(f"the {config.split} split of {name} is empty: name another with --split")
    labels = _translate(pictures.labels, data.classes, model.classes, name)
    labelled = Pictures(model.preprocessing.cut(pictures.images), labels, pictures.names)
    return name, "whole folder" if opened.whole else config.split, labelled


def _times(sides: tuple[int, int, int]) -> str:
    return "x".join(map(str, sides))


def same_data(one: str, other: str) -> bool:
    """Whether two names mean the same data set or folder."""
    return one == other or (Path(one).is_dir() and Path(one).resolve() == Path(other).resolve())


def _whole(data: DataSet) -> Pictures:
    parts = [part for part in map(data.read, SPLITS) if len(part)]
    return Pictures(
        join_images([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        tuple(name for part in parts for name in part.names),
    )


def _translate(
    labels: NDArray[np.int64], classes: tuple[str, ...], known: tuple[str, ...], name: str
) -> NDArray[np.int64]:
    """Labels by the data's order of classes -> by the model's; matched by name, never by position."""
    if unknown := [entry for entry in classes if entry not in known]:
        raise DataError(
            f"{name} has classes that the model does not know ({', '.join(unknown[:4])}); "
            f"it knows {', '.join(known[:6])}{', ...' if len(known) > 6 else ''}"
        )
    indices = np.array([known.index(entry) for entry in classes], np.int64)
    translated: NDArray[np.int64] = indices[labels]
    return translated
