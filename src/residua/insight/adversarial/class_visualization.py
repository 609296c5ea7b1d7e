"""Class visualization: the pictures that raise the scores of a model's classes most."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import FoolConfig
from residua.insight.adversarial.attacks import Floats
from residua.insight.adversarial.numbers import open_scorer
from residua.insight.shared.class_names import class_index
from residua.insight.shared.objectives import score_and_lead
from residua.insight.shared.scorer import Scorer
from residua.models.model_file import Model
from residua.progress import bar

STEPS = 200


@dataclass(frozen=True, eq=False)
class ClassPictures:
    """Pictures (K, H, W, C) uint8 of the model's size that raise the scores of `classes`.

    scores: (K,) the logits of the classes; probabilities: (K, classes).
    """

    model: Model
    classes: tuple[int, ...]
    images: NDArray[np.uint8]
    scores: Floats
    probabilities: Floats

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        rows = zip(self.classes, self.scores.tolist(), self.probabilities, strict=True)
        names = self.model.classes
        return {
            "classes": [
                {"class": names[index], "score": value, "probability": float(row[index])}
                for index, value, row in rows
            ]
        }


def choose_classes(model: Model, config: FoolConfig) -> tuple[int, ...]:
    """The target, or all classes, of which at most `config.show`, evenly chosen. Raises ConfigError."""
    if config.target is not None:
        return (class_index(model, config.target),)
    count = len(model.classes)
    indices = np.linspace(0, count - 1, min(config.show, count)).round().astype(int)
    return tuple(np.unique(indices).tolist())


def class_pictures(
    model: Model, config: FoolConfig, say: Callable[[str], Any] = lambda line: None
) -> ClassPictures:
    """The pictures that raise the scores of classes most, kept smooth and near the mean colour.

    Simonyan, Vedaldi, Zisserman 2013, 1312.6034, section 2: the score, less the squared distance from the
    mean picture, from which it starts. Beyond the paper the score's lead over the other classes counts as
    much as the score (networks of small pictures raise all scores together), each step sees the picture
    moved by a few pixels (jitter), and every fourth blurs it (Yosinski et al. 2015, 1506.06579, section 3).
    Raises ConfigError for a class that there is not.
    """
    classes, steps = choose_classes(model, config), config.iterations or STEPS
    scorer = open_scorer(model, config, len(classes) * steps, say)
    with bar("Class pictures", 3 * len(classes) * steps):
        images = np.rint(_ascend(scorer, np.array(classes), steps, config.seed)).astype(np.uint8)
    rows = np.arange(len(classes))
    scores = scorer.pixel_logits(images)[rows, list(classes)]
    return ClassPictures(model, classes, images, scores, scorer.pixel_probabilities(images))


def _ascend(scorer: Scorer, labels: NDArray[np.int64], steps: int, seed: int) -> Floats:
    from scipy.ndimage import gaussian_filter

    shape, rng = scorer.model.preprocessing, np.random.default_rng(seed)
    sides = (*shape.stored, shape.channels)
    mean = shape.mean if shape.order == "RGB" else shape.mean[::-1]
    middle = np.broadcast_to(255 * np.array(mean, np.float32), sides)
    pictures = np.repeat(middle[None], len(labels), axis=0) + rng.normal(0, 2, sides).astype(np.float32)
    jitter = max(1, min(shape.stored) // 16)
    for step in range(steps):
        moved = tuple(rng.integers(-jitter, jitter + 1, 2).tolist())
        rolled = np.roll(pictures, moved, (1, 2))
        _, gradient = scorer.pixel_gradient(rolled, labels, score_and_lead)
        gradient = np.roll(gradient, (-moved[0], -moved[1]), (1, 2))
        size = np.sqrt((gradient.astype(np.float64) ** 2).mean(axis=(1, 2, 3), keepdims=True))
        pictures = pictures + (4.0 * gradient / np.maximum(size, 1e-30)).astype(np.float32)
        pictures = middle + 0.985 * (pictures - middle)
        left = 1 - step / steps
        if step % 4 == 3 and left > 0.1:
            pictures = gaussian_filter(pictures, (0, 0.3 + 0.5 * left, 0.3 + 0.5 * left, 0))
        pictures = np.clip(pictures, 0, 255)
    return pictures
