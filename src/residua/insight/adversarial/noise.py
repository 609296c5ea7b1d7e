"""Noise that a model is sure to see a class in: fooling pictures that began as nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import FoolConfig
from residua.errors import ConfigError
from residua.insight.adversarial.attacks import Attack, Floats, attack
from residua.insight.adversarial.class_visualization import choose_classes
from residua.insight.adversarial.numbers import open_scorer
from residua.insight.shared.picture_files import encode_png
from residua.models.model_file import Model
from residua.progress import bar

STEPS = 500
USUAL_STEPS = 50  # after which most classes are seen

CONFIDENCE = 0.99
REACHES = (0.5, 0.1)
ANYWHERE = 255.0  # where a picture may go: by at most the whole range


@dataclass(frozen=True, eq=False)
class Noise:
    """Noise before and after, (K, H, W, C) uint8 as files hold it, one picture for each of `classes`.

    probabilities: (K, classes) of the pictures after, read from their PNGs, `pngs`. start: (K, classes) of
    the noise itself. confidence: what was asked for.
    """

    model: Model
    classes: tuple[int, ...]
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    start: Floats
    probabilities: Floats
    confidence: float
    gradients: int
    pngs: tuple[bytes, ...] = field(repr=False)

    @property
    def shares(self) -> list[float]:
        """The probability of each class in its picture."""
        return [float(self.probabilities[row, label]) for row, label in enumerate(self.classes)]

    @property
    def reached(self) -> int:
        """How many are as sure as was asked for."""
        return sum(share >= self.confidence for share in self.shares)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        names = self.model.classes
        return {
            "confidence": self.confidence,
            "reached": self.reached,
            "classes": [
                {"class": names[label], "noise": float(self.start[row, label]), "after": self.shares[row]}
                for row, label in enumerate(self.classes)
            ],
            "gradients": self.gradients,
        }


def fool_from_noise(model: Model, config: FoolConfig, say: Callable[[str], Any] = lambda line: None) -> Noise:
    """Change noise, by the gradient of each class's probability, until the model is sure that it sees it.

    Nguyen, Yosinski, Clune 2015, 1412.1897, section 2.4 (gradient ascent), here by the gradient's signs
    from uniform noise, in 8-bit pixels, then along the gradient where that is not enough. Classes that do
    not get there in `config.iterations` steps each time come as near as they came. Raises ConfigError for
    a class that there is not, and for a model of one class.
    """
    if len(model.classes) < 2:
        raise ConfigError(f"{model.name} knows one class alone: it sees that in any noise")
    classes, steps = choose_classes(model, config), config.iterations or STEPS
    confidence = CONFIDENCE if config.confidence is None else config.confidence
    scorer = open_scorer(model, config, len(classes) * min(steps, USUAL_STEPS), say)
    shape = model.preprocessing
    sides = (*shape.reading, shape.channels)
    before = np.stack(
        [np.random.default_rng((config.seed, label)).integers(0, 256, sides, np.uint8) for label in classes]
    )
    # A little more than is asked for: an answer is computed in another way than its gradient.
    settings = Attack("iterated", "inf", steps, confidence=confidence + 0.01 * (1 - confidence))
    part = shape.cut(before)
    labels, bound = np.array(classes), np.full(len(classes), ANYWHERE)
    with bar("Noise", 3 * len(classes) * min(steps, USUAL_STEPS)):
        result = attack(scorer, part, labels, bound, settings, targeted=True)
    pictures, gradients = result.pictures, result.gradients
    left = np.flatnonzero(~result.fooled)
    for reach in REACHES:
        if not len(left):
            break
        # Where steps of one size at every pixel go to and fro, smaller ones along the gradient go on.
        finer, far = replace(settings, norm="l2", reach=reach), bound[left] * part[0].size ** 0.5
        again = attack(scorer, part[left], labels[left], far, finer, targeted=True, start=pictures[left])
        pictures[left], gradients = again.pictures, gradients + again.gradients
        left = left[~again.fooled]
    after = before.copy()
    shape.cut(after)[:] = pictures.astype(np.uint8)
    pngs = tuple(encode_png(picture) for picture in after)
    files = np.stack([shape.cut(shape.read(png)) for png in pngs])
    start, answers = scorer.pixel_probabilities(part), scorer.pixel_probabilities(files)
    return Noise(model, classes, before, after, start, answers, confidence, gradients, pngs)
