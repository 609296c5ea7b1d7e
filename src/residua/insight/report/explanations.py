"""Where a few answers come from: which ones a report explains, and their saliency maps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from residua.config import ExplainConfig, ReportConfig
from residua.config.explain import SaliencyMethod
from residua.errors import ConfigError
from residua.insight.evaluation.predictions import Predictions
from residua.insight.mistakes.numbers import Mistakes
from residua.insight.saliency.numbers import Explained, explain_pictures
from residua.insight.saliency.passes import explaining_passes
from residua.models.model_file import Model
from residua.training.work import Passes

RIGHT, WRONG = 4, 4  # answers of each kind that are explained
# Where there are no maps for Grad-CAM, the integrated gradients stand in its place.
FIRST: SaliencyMethod = "grad-cam"
INSTEAD: SaliencyMethod = "integrated"
SECOND: SaliencyMethod = "occlusion"


@dataclass(frozen=True, eq=False)
class Explanations:
    """Answers with their maps, or None and the reason; mistakes: how many of them are wrong."""

    explained: Explained | None
    mistakes: int
    reason: str = ""


def explained_indices(answered: Predictions, mistakes: Mistakes) -> NDArray[np.int64]:
    """Which pictures are explained: sure right answers, each of another class, and the worst mistakes."""
    wrong = mistakes.places[:WRONG]
    right = np.flatnonzero(answered.chosen == answered.labels)
    surest = right[np.argsort(-answered.probabilities[right].max(axis=1), kind="stable")]
    count = RIGHT + WRONG - len(wrong)
    # The first of each class, then the second of each, where there are few classes.
    earlier: dict[int, int] = {}
    turns = np.zeros(len(surest), np.int64)
    for rank, label in enumerate(answered.labels[surest].tolist()):
        turns[rank] = earlier.get(label, 0)
        earlier[label] = earlier.get(label, 0) + 1
    order = np.argsort(turns, kind="stable")[:count]
    return np.concatenate([surest[order], wrong]).astype(np.int64)


def explanation_passes(model: Model, pictures: int) -> Passes:
    """How often pictures go through the network for what a report explains of so many answers."""
    return explaining_passes(model, min(RIGHT + WRONG, pictures), ExplainConfig(methods=(FIRST, SECOND)))


def explain_answers(
    answered: Predictions, mistakes: Mistakes, config: ReportConfig, say: Callable[[str], None]
) -> Explanations:
    """A few answers explained by two methods, or why none is."""
    indices = explained_indices(answered, mistakes)
    images = np.stack([answered.pictures.images[index] for index in indices])
    names = [answered.pictures.names[index] for index in indices.tolist()]
    labels = answered.labels[indices]
    wrong = int((answered.chosen[indices] != labels).sum())
    reason = ""
    for first in (FIRST, INSTEAD):
        explain_config = ExplainConfig(
            methods=(first, SECOND), most_steps=256, engine=config.engine, threads=config.threads
        )
        try:
            explained = explain_pictures(
                answered.model, images, explain_config, names=names, labels=labels, say=say
            )
        except ConfigError as error:
            reason = str(error)
        else:
            return Explanations(explained, wrong)
    return Explanations(None, wrong, reason)
