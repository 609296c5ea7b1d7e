"""Pictures out of nothing that a model is sure of: from noise, and the most typical ones of its classes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import FoolConfig
from residua.errors import ConfigError
from residua.insight.adversarial.attacks import Attack, attack
from residua.insight.adversarial.numbers import find_class, open_pixel_model, to_png
from residua.insight.shared.pixel_model import Floats, PixelModel, ahead
from residua.models.model_file import Model

CONFIDENCE = 0.99
NOISE_STEPS, CLASS_STEPS = 500, 200
REACHES = (0.5, 0.1)
# Where a picture may go: by at most the whole range.
ANYWHERE = 255.0


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
        return [float(self.probabilities[row, place]) for row, place in enumerate(self.classes)]

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
                {"class": names[place], "noise": float(self.start[row, place]), "after": self.shares[row]}
                for row, place in enumerate(self.classes)
            ],
            "gradients": self.gradients,
        }


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
                {"class": names[place], "score": value, "probability": float(row[place])}
                for place, value, row in rows
            ]
        }


def choose_classes(model: Model, config: FoolConfig) -> tuple[int, ...]:
    """The target, or all classes, of which at most `config.show`, evenly chosen. Raises ConfigError."""
    if config.target is not None:
        return (find_class(model, config.target),)
    count = len(model.classes)
    places = np.linspace(0, count - 1, min(config.show, count)).round().astype(int)
    return tuple(np.unique(places).tolist())


def fool_from_noise(model: Model, config: FoolConfig) -> Noise:
    """Change noise, by the gradient of each class's probability, until the model is sure that it sees it.

    Nguyen, Yosinski, Clune 2015, 1412.1897, section 2.4 (gradient ascent), here by the gradient's signs
    from uniform noise, in 8-bit pixels, then along the gradient where that is not enough. Classes that do
    not get there in `config.iterations` steps each time come as near as they came. Raises ConfigError for
    a class that there is not, and for a model of one class.
    """
    if len(model.classes) < 2:
        raise ConfigError(f"{model.name} knows one class alone: it sees that in any noise")
    classes, steps = choose_classes(model, config), config.iterations or NOISE_STEPS
    wanted = CONFIDENCE if config.confidence is None else config.confidence
    seen = open_pixel_model(model, config, len(classes) * min(steps, 50))
    shape = model.preprocessing
    sides = (*shape.reading, shape.channels)
    before = np.stack(
        [np.random.default_rng((config.seed, place)).integers(0, 256, sides, np.uint8) for place in classes]
    )
    # A little more than is asked for: an answer is computed in another way than its gradient.
    how = Attack("iterated", "inf", steps, confidence=wanted + 0.01 * (1 - wanted))
    part = shape.cut(before)
    labels, bound = np.array(classes), np.full(len(classes), ANYWHERE)
    found = attack(seen, part, labels, bound, how, targeted=True)
    pictures, gradients = found.pictures, found.gradients
    left = np.flatnonzero(~found.fooled)
    for reach in REACHES:
        if not len(left):
            break
        # Where steps of one size at every pixel go to and fro, smaller ones along the gradient go on.
        finer, far = replace(how, norm="l2", reach=reach), bound[left] * part[0].size ** 0.5
        again = attack(seen, part[left], labels[left], far, finer, targeted=True, start=pictures[left])
        pictures[left], gradients = again.pictures, gradients + again.gradients
        left = left[~again.fooled]
    after = before.copy()
    shape.cut(after)[:] = pictures.astype(np.uint8)
    pngs = tuple(to_png(picture) for picture in after)
    files = np.stack([shape.cut(shape.read(png)) for png in pngs])
    start, answers = seen.probabilities(part), seen.probabilities(files)
    return Noise(model, classes, before, after, start, answers, wanted, gradients, pngs)


def class_pictures(model: Model, config: FoolConfig) -> ClassPictures:
    """The pictures that raise the scores of classes most, kept smooth and near the mean colour.

    Simonyan, Vedaldi, Zisserman 2013, 1312.6034, section 2: the score, less the squared distance from the
    mean picture, from which it starts. Beyond the paper the score's lead over the other classes counts as
    much as the score (networks of small pictures raise all scores together), each step sees the picture
    moved by a few pixels (jitter), and every fourth blurs it (Yosinski et al. 2015, 1506.06579, section 3).
    Raises ConfigError for a class that there is not.
    """
    classes, steps = choose_classes(model, config), config.iterations or CLASS_STEPS
    seen = open_pixel_model(model, config, len(classes) * steps)
    images = np.rint(_ascend(seen, np.array(classes), steps, config.seed)).astype(np.uint8)
    rows = np.arange(len(classes))
    scores = seen.logits(images)[rows, list(classes)]
    return ClassPictures(model, classes, images, scores, seen.probabilities(images))


def _ascend(seen: PixelModel, labels: NDArray[np.int64], steps: int, seed: int) -> Floats:
    from scipy.ndimage import gaussian_filter

    shape, rng = seen.model.preprocessing, np.random.default_rng(seed)
    sides = (*shape.stored, shape.channels)
    mean = shape.mean if shape.order == "RGB" else shape.mean[::-1]
    middle = np.broadcast_to(255 * np.array(mean, np.float32), sides)
    pictures = np.repeat(middle[None], len(labels), axis=0) + rng.normal(0, 2, sides).astype(np.float32)
    jitter = max(1, min(shape.stored) // 16)
    for step in range(steps):
        moved = tuple(rng.integers(-jitter, jitter + 1, 2).tolist())
        rolled = np.roll(pictures, moved, (1, 2))
        _, gradient = seen.gradient(rolled, labels, ahead)
        gradient = np.roll(gradient, (-moved[0], -moved[1]), (1, 2))
        size = np.sqrt((gradient.astype(np.float64) ** 2).mean(axis=(1, 2, 3), keepdims=True))
        pictures = pictures + (4.0 * gradient / np.maximum(size, 1e-30)).astype(np.float32)
        pictures = middle + 0.985 * (pictures - middle)
        left = 1 - step / steps
        if step % 4 == 3 and left > 0.1:
            pictures = gaussian_filter(pictures, (0, 0.3 + 0.5 * left, 0.3 + 0.5 * left, 0))
        pictures = np.clip(pictures, 0, 255)
    return pictures


def noise_text(found: Noise) -> str:
    """Every class and how sure the model is, in words."""
    names = found.model.classes
    wide = max(len(names[place]) for place in found.classes)
    lines = [
        f"{found.reached} of {len(found.classes)} seen in noise with {100 * found.confidence:g} % or more "
        f"({found.gradients:,} gradients)"
    ]
    lines += [
        f"  {names[place]:<{wide}}  {100 * float(found.start[row, place]):6.2f} % in the noise itself"
        f"  ->  {100 * share:6.2f} %{'' if share >= found.confidence else '   not reached: --iterations'}"
        for row, (place, share) in enumerate(zip(found.classes, found.shares, strict=True))
    ]
    return "\n".join(lines)


def class_text(found: ClassPictures) -> str:
    """Every class with its score and probability."""
    names = found.model.classes
    wide = max(len(names[place]) for place in found.classes)
    return "\n".join(
        f"  {names[place]:<{wide}}  score {value:8.2f}   probability {100 * float(row[place]):6.2f} %"
        for place, value, row in zip(found.classes, found.scores, found.probabilities, strict=True)
    )
