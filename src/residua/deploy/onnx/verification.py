"""How equal an exported file is: ONNX Runtime and residua answer the same pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import EvaluateConfig, ExportConfig
from residua.data import Pictures
from residua.deploy.agreement import compare_answers
from residua.deploy.onnx.runtime import answer as runtime_answer
from residua.deploy.onnx.runtime import installed_version
from residua.errors import ResiduaError
from residua.insight.evaluation.exposure import Exposure
from residua.insight.evaluation.predictions import Predictions, SplitPictures, answer, find_pictures_of
from residua.models.model_file import Model

Floats = NDArray[np.float32]

TOLERANCE = 1e-5  # of a probability; two that differ by less are a near tie
NOISE = "noise"
MOST_NOISE = 256  # pictures of it
MOST_NAMED = 20  # pictures whose answer changed


@dataclass(frozen=True)
class Change:
    """A picture that is answered otherwise; margin: how far residua's two best probabilities lie apart."""

    picture: str
    residua: str
    onnx: str
    margin: float


@dataclass(frozen=True)
class Verification:
    """What two programs answered on the same pictures.

    data, split: where the pictures are from. same: how many have the same answer. near_ties: how many
    have two best probabilities within 1e-5. accuracy, onnx_accuracy: shares of right answers; None of noise.
    """

    data: str
    split: str
    pictures: int
    same: int
    largest_difference: float
    near_ties: int
    changes: tuple[Change, ...]
    accuracy: float | None
    onnx_accuracy: float | None
    onnx: str | None
    onnxruntime: str | None

    @property
    def passed(self) -> bool:
        """Whether answers are the same, near ties aside, and probabilities within 1e-5."""
        tied = len(self.changes) == self.pictures - self.same and all(
            change.margin < TOLERANCE for change in self.changes
        )
        return tied and self.largest_difference <= TOLERANCE

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        changes = [dict(vars(change)) for change in self.changes]
        return dict(vars(self)) | {"changes": changes, "passed": self.passed, "tolerance": TOLERANCE}


def find_answers(model: Model, config: ExportConfig, say: Callable[[str], None]) -> Predictions:
    """What residua answers on the pictures of the proof: validation pictures, or noise where there are none.

    Raises ResiduaError where data were named that cannot be used.
    """
    options = EvaluateConfig.of(config, data=config.verify)
    try:
        part = find_pictures_of(model, options, say, most=config.proof_pictures)
    except ResiduaError as error:
        if config.verify is not None:
            raise
        say(
            f"The proof takes noise, for there are no pictures of its own ({error}); --verify DATA names some"
        )
        part = noise_pictures(model, min(config.proof_pictures, MOST_NOISE))
    part.tell(say)
    return answer(model, options, part)


def settle(
    session: Any, answered: Predictions, config: ExportConfig
) -> tuple[Predictions, Verification, Floats]:
    """As `verify`; pictures beyond the tolerance are answered once more, by the reference engine.

    A fast engine's convolutions by fewer multiplications round more than the sums that they stand for.
    """
    found, theirs = verify(session, answered, config.batch)
    ours = answered.probabilities
    apart = np.abs(ours - theirs).max(axis=1) > TOLERANCE
    apart |= ours.argmax(axis=1) != theirs.argmax(axis=1)
    if not apart.any():
        return answered, found, theirs
    chosen = np.flatnonzero(apart)
    part = SplitPictures(answered.data, answered.split, answered.pictures.take(chosen), Exposure(), False)
    options = EvaluateConfig(batch=config.batch, engine="numpy", threads=config.threads)
    ours = ours.copy()
    ours[chosen] = answer(answered.model, options, part).probabilities
    answered = replace(answered, probabilities=ours)
    return answered, _compared(answered, theirs), theirs


def noise_pictures(model: Model, count: int) -> SplitPictures:
    """Pictures of random bytes, always the same."""
    shape = model.preprocessing
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, *shape.stored, shape.channels), np.uint8)
    names = tuple(f"noise[{index}]" for index in range(count))
    pictures = Pictures(images, np.zeros(count, np.int64), names)
    return SplitPictures(NOISE, "", pictures, Exposure(count), False)


def verify(session: Any, answered: Predictions, batch: int) -> tuple[Verification, Floats]:
    """Both answers held to each other, and ONNX Runtime's probabilities (N, classes)."""
    theirs = runtime_answer(session, answered.pictures.images, batch)
    return _compared(answered, theirs), theirs


def _compared(answered: Predictions, theirs: Floats) -> Verification:
    ours = answered.probabilities
    chosen, others = ours.argmax(axis=1), theirs.argmax(axis=1)
    margins = _margins(ours)
    different = np.flatnonzero(chosen != others)
    changes = tuple(
        Change(
            answered.pictures.names[index],
            answered.classes[chosen[index]],
            answered.classes[others[index]],
            float(margins[index]),
        )
        for index in different[np.argsort(-margins[different])].tolist()
    )
    known = answered.data != NOISE
    found = compare_answers(ours, theirs, answered.labels if known else None)
    return Verification(
        data=answered.title if known else NOISE,
        split=answered.split,
        pictures=len(ours),
        same=found.same,
        largest_difference=found.largest_difference,
        near_ties=int((margins < TOLERANCE).sum()),
        changes=changes,
        accuracy=found.accuracy,
        onnx_accuracy=found.other_accuracy,
        onnx=installed_version("onnx"),
        onnxruntime=installed_version("onnxruntime"),
    )


def _margins(probabilities: Floats) -> NDArray[np.float64]:
    """(N,) the most probable less the second; one where there is one class."""
    if probabilities.shape[1] < 2:
        return np.ones(len(probabilities))
    two = np.partition(probabilities.astype(np.float64), -2, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0])


def named(found: Verification) -> Verification:
    """With as many changed pictures as a person reads."""
    return replace(found, changes=found.changes[:MOST_NAMED])
