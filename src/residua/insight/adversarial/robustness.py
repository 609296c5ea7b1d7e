"""How many pictures stay right when each may be changed a little: accuracy against the size of change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.insight.adversarial.attacks import Attack, attack, settle
from residua.insight.evaluation.exposure import Exposure
from residua.insight.evaluation.predictions import Predictions
from residua.insight.shared.intervals import wilson_interval
from residua.insight.shared.objectives import cross_entropy
from residua.insight.shared.scorer import Scorer

STEPS = 20


@dataclass(frozen=True)
class Robustness:
    """Right answers of `pictures` pictures under changes of rising `sizes` (largest of any pixel, of 255).

    clean: right answers without change. right: {"fgsm", "pgd", "random": right answers at each size}. A
    picture that a smaller change fools counts as fooled by pgd at every larger size, as it lies in that
    ball too; the other two are what one picture at each size gives. steps: of pgd. exposure: what the model
    has seen of the pictures in training.
    """

    title: str
    pictures: int
    clean: int
    sizes: tuple[float, ...]
    right: dict[str, tuple[int, ...]]
    steps: int
    gradients: int
    exposure: Exposure = field(default_factory=Exposure)

    def interval(self, right: int) -> tuple[float, float]:
        """95 % confidence interval of an accuracy, as shares (Wilson 1927)."""
        return wilson_interval(right, self.pictures)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; sizes are in steps of 8-bit pixels, 1 of 255."""

        def line(count: int) -> dict[str, Any]:
            low, high = self.interval(count)
            return {"right": count, "accuracy": count / self.pictures, "interval": [low, high]}

        return {
            "data": self.title,
            "pictures": self.pictures,
            **self.exposure.to_dict(),
            "steps": self.steps,
            "clean": line(self.clean),
            "curve": [
                {"size": size} | {name: line(counts[index]) for name, counts in self.right.items()}
                for index, size in enumerate(self.sizes)
            ],
        }


def robust_accuracy(
    answered: Predictions, scorer: Scorer, sizes: Sequence[float], steps: int = STEPS, seed: int = 0
) -> Robustness:
    """Attack every picture under L-infinity at every size: one step, many steps, and random signs.

    Pixels are numbers, not rounded, as is usual for these figures. The random signs, of the same size, are
    the control: what they do not do is the gradient's doing.
    """
    rising = tuple(sorted(set(map(float, sizes))))
    images, labels = np.asarray(answered.pictures.images), answered.labels
    clean = np.flatnonzero(answered.chosen == labels)
    origin, labels = images[clean].astype(np.float32), labels[clean]
    signs = np.random.default_rng(seed).choice(np.array([-1, 1], np.float32), origin.shape)
    right: dict[str, list[int]] = {"fgsm": [], "pgd": [], "random": []}
    settings = Attack("pgd", steps=steps, seed=seed, whole=False)
    gradients, remaining = 0, np.arange(len(clean))
    along = signs
    if len(clean):
        along = np.sign(scorer.pixel_gradient(origin, labels, cross_entropy)[1])
        gradients += len(clean)
    for size in rising:
        bound = np.full(len(clean), size)
        for name, direction in (("fgsm", along), ("random", signs)):
            right[name].append(
                _count(scorer, settle(origin, direction * np.float32(size), bound, settings), labels)
            )
        if len(remaining):
            attempt = attack(scorer, images[clean[remaining]], labels[remaining], bound[remaining], settings)
            gradients += attempt.gradients
            remaining = remaining[~attempt.fooled]
        right["pgd"].append(len(remaining))
    counts = {name: tuple(counts_at_sizes) for name, counts_at_sizes in right.items()}
    return Robustness(
        answered.title, len(answered), len(clean), rising, counts, steps, gradients, answered.exposure
    )


def _count(scorer: Scorer, pictures: NDArray[np.float32], labels: NDArray[np.int64]) -> int:
    if not len(pictures):
        return 0
    return int((scorer.pixel_probabilities(pictures).argmax(axis=1) == labels).sum())
