"""What capsules know: the decoder's reconstructions, and what each number of a class capsule stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from residua.config import EvaluateConfig, ReconstructConfig
from residua.engines import Engine, open_engine
from residua.errors import DataError, ModelFileError
from residua.insight.evaluation.predictions import find_pictures_of
from residua.insight.shared.engine_choice import settle_engine
from residua.layers import CapsuleNetwork
from residua.models.model_file import Model
from residua.training.work import model_work

Say = Callable[[str], None]
Floats = NDArray[np.float32]

MOST_CLASSES, EACH = 10, 2  # on the sheet of reconstructions
# Sabour et al. 2017, figure 4: by intervals of 0.05 from -0.25 to 0.25.
STEPS = np.linspace(-0.25, 0.25, 11).astype(np.float32)


@dataclass(frozen=True)
class CapsuleSample:
    """Pictures under a capsule network: images (N, H, W, C) from 0 to 1, class capsules, answers.

    labels, answers: (N,), places in the model's classes; an answer is the longest capsule.
    """

    model: Model
    network: CapsuleNetwork
    engine: Engine
    data: str
    images: Floats
    labels: NDArray[np.int64]
    capsules: Floats
    answers: NDArray[np.int64]

    def draw(self, capsules: Floats, labels: NDArray[np.int64]) -> Floats:
        """What the decoder draws (N, H, W, C) from the capsules at these labels."""
        drawn = self.network.draw(self.engine, self.model.variables, capsules, labels)
        return np.asarray(self.engine.plain(drawn), np.float32)


def sample_capsules(model: Model, name: str, config: ReconstructConfig, say: Say) -> CapsuleSample:
    """Two pictures of each class (of the first ten) under the network.

    Raises ModelFileError for a network without a decoder, and as `evaluate_model`.
    """
    network = model.network
    if not isinstance(network, CapsuleNetwork) or network.decoder is None:
        raise ModelFileError(
            f"{name} holds {model.name}, which has no decoder that draws pictures: give one that was trained "
            "with --model capsnet"
        )
    evaluate_config = EvaluateConfig.of(config)
    part = find_pictures_of(model, evaluate_config, say)
    part.tell(say)
    data, pictures = part.data, part.pictures
    by_class = [np.flatnonzero(pictures.labels == label)[:EACH] for label in range(len(model.classes))]
    chosen_indices = np.concatenate([indices for indices in by_class if len(indices)][:MOST_CLASSES])
    pictures = pictures.take(chosen_indices)
    if not len(pictures):
        raise DataError(f"the {config.split} split of {data} is empty: name another with --split")
    images = model.preprocessing.normalize(np.asarray(pictures.images))
    config = settle_engine(config, model_work(model, len(images)), say)
    engine = open_engine(config.engine, threads=config.threads)
    capsules = np.asarray(engine.plain(network.capsules(engine, model.variables, images)), np.float32)
    answers = np.linalg.norm(capsules, axis=2).argmax(axis=1)
    return CapsuleSample(model, network, engine, data, images, pictures.labels, capsules, answers)


def vary_dimensions(capsules: Floats, label: int) -> Floats:
    """(classes, dimension) -> (dimension * steps, classes, dimension): each number of one capsule moved."""
    dimension = capsules.shape[1]
    every = np.repeat(capsules[None], dimension * len(STEPS), axis=0).copy()
    rows = np.arange(len(every))
    every[rows, label, rows // len(STEPS)] += STEPS[rows % len(STEPS)]
    return every
