"""Fool a model on one picture: what was changed, how much, and what the model says before and after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import FoolConfig
from residua.engines import Engine, open_engine
from residua.errors import ConfigError
from residua.insight.adversarial.attacks import Attack, Attacked, Floats, attack, distance, smallest
from residua.insight.shared.class_names import class_index
from residua.insight.shared.engine_choice import settle_engine
from residua.insight.shared.picture_files import encode_png
from residua.insight.shared.scorer import Scorer
from residua.models.model_file import Model
from residua.training.work import model_work

MOST_STEP = 32.0  # of 255, at any pixel
MOST_ROOT = 8.0  # of 255, at every number of a picture
STEPS = 40
# An answer is computed in another way than its gradient, and may differ in the last digits.
MARGINS = (1e-3, 1e-2, 0.1, 1.0)


@dataclass(frozen=True, eq=False)
class Fooling:
    """One picture before and after, (H, W, C) uint8 as read from files, and what the model says of both.

    probabilities: (2, classes). target: the class that was wanted, None for any other. size: how much was
    allowed; below: the largest size that the same method failed with, where the least was looked for
    (`searched`; 0 where none failed). most: up to where. png: the file, whose answer is the one after.
    gradients: how many were computed.
    """

    model: Model
    file: str
    before: NDArray[np.uint8]
    after: NDArray[np.uint8]
    probabilities: Floats
    target: int | None
    how: Attack
    searched: bool
    fooled: bool
    size: float
    below: float
    most: float
    gradients: int
    png: bytes = field(repr=False)

    @property
    def answers(self) -> tuple[int, int]:
        """The most probable classes before and after."""
        before, after = self.probabilities.argmax(axis=1).tolist()
        return before, after

    @property
    def change(self) -> NDArray[np.int16]:
        """(H, W, C): after - before."""
        return self.after.astype(np.int16) - self.before.astype(np.int16)

    @property
    def largest(self) -> int:
        """The largest change of any number, in steps of 8-bit pixels."""
        return int(np.abs(self.change).max())

    @property
    def root(self) -> float:
        """The root of the sum of squared changes, in steps of 8-bit pixels."""
        return float(distance(self.change[None].astype(np.float32), "l2")[0])

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types; sizes are in steps of 8-bit pixels, 1 of 255."""
        names, before, after = self.model.classes, *self.answers
        return {
            "file": self.file,
            "fooled": self.fooled,
            "target": None if self.target is None else names[self.target],
            "before": {"class": names[before], "probability": float(self.probabilities[0, before])},
            "after": {"class": names[after], "probability": float(self.probabilities[1, after])},
            "probabilities": [
                {"class": name, "before": float(one), "after": float(two)}
                for name, one, two in zip(names, *self.probabilities, strict=True)
            ],
            "method": self.how.method,
            "norm": self.how.norm,
            "steps": 1 if self.how.method == "fgsm" else self.how.steps,
            "searched": self.searched,
            "size": self.size,
            "not_enough": self.below,
            "largest_change": self.largest,
            "root_of_squares": self.root,
            "changed_share": float((self.change != 0).mean()),
            "gradients": self.gradients,
        }


def open_scorer(
    model: Model, config: FoolConfig, gradients: int, say: Callable[[str], Any] = lambda line: None
) -> Scorer:
    """The model's logits on the engine that so many gradients are worth; `say` hears which.

    Raises EngineError.
    """
    config = settle_engine(config, model_work(model, 2, gradients), say)
    engine = open_engine(config.engine, threads=config.threads)
    return Scorer.of_logits(model, engine)


def usual_gradients(config: FoolConfig) -> int:
    """How many gradients it takes, as a rule, to fool a model on one picture."""
    steps = 1 if config.method == "fgsm" else config.iterations or STEPS
    # The least size is looked for by a handful of attempts, most of which end early.
    return steps if config.epsilon is not None else 4 * steps


def fool_picture(
    model: Model,
    picture: NDArray[np.uint8],
    config: FoolConfig,
    name: str = "",
    engine: Engine | None = None,
    say: Callable[[str], Any] = lambda line: None,
) -> Fooling:
    """Change one picture so that the model sees `config.target` in it, or anything else than now.

    picture: (H, W, C) uint8, as `model.preprocessing.read` gives it. The
    change is of `config.epsilon`, or the least that is enough, up to `config.most`; `fooled` tells whether
    any was. The answer after is that to the PNG's own bytes. Raises ConfigError for a model of one class,
    a class that there is not, and a target that is the answer already.
    """
    if len(model.classes) < 2:
        raise ConfigError(f"{model.name} knows one class alone: no other answer can come of it")
    target = None if config.target is None else class_index(model, config.target)
    scorer = (
        open_scorer(model, config, usual_gradients(config), say)
        if engine is None
        else Scorer.of_logits(model, engine)
    )
    shape = model.preprocessing
    part = shape.cut(picture)
    first = scorer.pixel_probabilities(part[None])[0]
    answer = int(first.argmax())
    if target == answer and first[answer] >= (config.confidence or 0):
        answered = f"{model.name} sees {model.classes[answer]} in {name or 'it'} already"
        raise ConfigError(
            f"{answered} ({100 * first[answer]:.1f} %): name another class with --target, or none"
        )
    settings = Attack(config.method, config.norm, config.iterations or STEPS, config.seed)
    most = config.most or (MOST_STEP if settings.norm == "inf" else MOST_ROOT * part.size**0.5)
    labels = np.array([answer if target is None else target])
    gradients = 0
    for margin in MARGINS:
        settings = replace(settings, confidence=config.confidence or 0.0, margin=margin)
        result = _change(scorer, part, labels, config.epsilon, most, settings, target is not None)
        gradients += result.gradients
        whole = picture.copy()
        shape.cut(whole)[:] = result.pictures[0].astype(np.uint8)
        png = encode_png(whole)
        after = shape.read(png)
        second = scorer.pixel_probabilities(shape.cut(after)[None])[0]
        best = int(second.argmax())
        fooled = (best != answer if target is None else best == target) and second[
            best
        ] >= settings.confidence
        if fooled or not result.fooled[0]:
            break
    return Fooling(
        model,
        name,
        picture,
        after,
        np.stack([first, second]),
        target,
        settings,
        config.epsilon is None,
        bool(fooled),
        float(result.sizes[0]),
        float(result.below[0]),
        most,
        gradients,
        png,
    )


def _change(
    scorer: Scorer,
    part: NDArray[np.uint8],
    labels: NDArray[np.int64],
    epsilon: float | None,
    most: float,
    settings: Attack,
    targeted: bool,
) -> Attacked:
    if epsilon is None:
        return smallest(scorer, part[None], labels, most, settings, targeted)
    return attack(scorer, part[None], labels, np.array([epsilon]), settings, targeted)


def shown_classes(result: Fooling, each: int = 3) -> list[int]:
    """The classes that matter: the first ones before, the first ones after, and the target."""
    order = np.argsort(-result.probabilities, axis=1, kind="stable")[:, :each]
    indices = [*order[0].tolist(), *order[1].tolist()]
    if result.target is not None:
        indices.append(result.target)
    return sorted(dict.fromkeys(indices), key=lambda index: -float(result.probabilities[:, index].max()))
