"""What a model answers on a split of a data set: the one place that reads the test split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from residua.config import EvaluateConfig
from residua.data import Pictures
from residua.data.batches import Batches
from residua.data.pictures.arrays import join_images
from residua.data.views import VIEWS, mean_probabilities
from residua.engines.borrowing import borrow_engine
from residua.engines.estimate import Work
from residua.files.names import printable
from residua.insight.evaluation.class_matching import match_labels
from residua.insight.evaluation.exposure import Exposure, exposure
from residua.insight.evaluation.model_data import OpenedData, open_data
from residua.insight.evaluation.numbers import Evaluation, measure
from residua.insight.shared.engine_choice import settle_engine
from residua.insight.shared.text import split_name
from residua.models.model_file import Model
from residua.progress import advance, bar
from residua.training.inference import LabelledProbabilities, predict_probabilities
from residua.training.work import NO_PASSES, Passes, model_work

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model answers on a labelled split, with the pictures: what figures and reports are made of.

    data, split: their names. pictures: (N, H, W, C) uint8 as stored, labels (N,) int64 in the model's order
    of classes, names (N,). probabilities: (N, classes) float32, as `residua predict` gives them. exposure:
    what of them the model has seen in training. same: whether it was trained on these data, unchanged.
    """

    model: Model
    data: str
    split: str
    pictures: Pictures
    probabilities: NDArray[np.float32]
    exposure: Exposure = field(default_factory=Exposure)
    same: bool = False

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
        answers = LabelledProbabilities(self.probabilities, self.labels)
        found = measure(answers, self.classes, self.data, self.split)
        return replace(found, **self.exposure.to_dict())


@dataclass(frozen=True, eq=False)
class SplitPictures:
    """The pictures of a split, labelled in the model's order of classes, and what the model knows of them.

    data, split: their names. same: whether they are what it was trained on, unchanged.
    """

    data: str
    split: str
    pictures: Pictures
    exposure: Exposure
    same: bool

    def tell(self, say: Say) -> None:
        """Say what should be known of figures on them, unless it is what was asked for."""
        self.exposure.tell(say, same=self.same, split=self.split)


def predict_split(
    model: Model, config: EvaluateConfig, say: Say, most: int | None = None, opened: OpenedData | None = None
) -> Predictions:
    """The model's answers on a split of the data it was trained on, or of other data.

    most: of larger splits so many pictures, evenly taken. opened: the data, where it is open already. Other
    data have the model's classes, by name; a folder of them without test/ is taken whole. How many of the
    pictures the model has seen in training is said. Raises DataError where classes or pictures do not match,
    ConfigError where no data is known.
    """
    part = find_pictures_of(model, config, say, opened, most)
    config = settle_engine(config, answer_work(model, config, part), say)
    part.tell(say)
    return answer(model, config, part)


def answer_work(
    model: Model, config: EvaluateConfig, part: SplitPictures, beside: Passes = NO_PASSES
) -> Work:
    """What `answer` computes, and the other passes that follow it."""
    forward = len(VIEWS[config.views]) * len(part.pictures)
    return model_work(model, forward + beside.forward, beside.gradients)


def answer(model: Model, config: EvaluateConfig, part: SplitPictures) -> Predictions:
    """The model's answers for these pictures."""
    pictures = part.pictures
    views, shape, frozen = VIEWS[config.views], model.preprocessing, model.frozen()
    work = answer_work(model, config, part)
    with (
        borrow_engine(config.engine, threads=config.threads, work=work) as engine,
        bar("Pictures", len(views) * len(pictures)),
    ):
        every = [
            predict_probabilities(
                engine, *frozen, Batches(pictures, shape, None, config.batch, view=view), advance
            )
            for view in views
        ]
    probabilities = mean_probabilities([answers.probabilities for answers in every], views)
    return Predictions(model, part.data, part.split, pictures, probabilities, part.exposure, part.same)


def evaluate_model(model: Model, config: EvaluateConfig, say: Say) -> Evaluation:
    """The metrics of `predict_split`. Raises as it does."""
    return predict_split(model, config, say).evaluation


def find_pictures_of(
    model: Model,
    config: EvaluateConfig,
    say: Say,
    opened: OpenedData | None = None,
    most: int | None = None,
) -> SplitPictures:
    """The pictures that `predict_split` asks about, and what the model has seen of them. Raises as it."""
    opened = opened or open_data(model, config, say)
    name, data = opened.name, opened.data
    read = cache(data.read)
    parts = [read(split) for split in opened.splits(config.split, lambda split: len(read(split)))]
    pictures = parts[0] if len(parts) == 1 else _joined(parts)
    labels = match_labels(pictures.labels, data.classes, model.classes, name, config.unknown_classes, say)
    if not labels.kept.all():
        pictures = pictures.take(np.flatnonzero(labels.kept))
    pictures = Pictures(model.preprocessing.cut(pictures.images), labels.labels, pictures.names)
    if most is not None and len(pictures) > most:
        pictures = pictures.take(np.linspace(0, len(pictures) - 1, most).round().astype(np.int64))
    seen = exposure(model, pictures.images, labels.left_out)
    return SplitPictures(name, opened.called(config.split), pictures, seen, opened.own)


def _joined(parts: Sequence[Pictures]) -> Pictures:
    return Pictures(
        join_images([part.images for part in parts]),
        np.concatenate([part.labels for part in parts]),
        tuple(name for part in parts for name in part.names),
    )
