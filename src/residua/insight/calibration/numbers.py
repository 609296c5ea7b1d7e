"""Whether a model is as often right as it says, and what is gained where it may say 'not sure'."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import CalibrateConfig, EvaluateConfig
from residua.data import DATASETS
from residua.errors import DataError
from residua.insight.evaluation.exposure import exposure
from residua.insight.evaluation.predictions import (
    Predictions,
    SplitPictures,
    answer,
    answer_work,
    find_pictures_of,
)
from residua.insight.evaluation.tally import calibration_error
from residua.insight.shared.engine_choice import settle_engine
from residua.models.calibration import Calibration, Coverage
from residua.models.model_file import Model

Say = Callable[[str], None]
Floats = NDArray[np.float64]

COLDEST, HOTTEST = 0.05, 20.0  # temperatures that are looked through
MOST_THRESHOLDS = 400  # of those that a model file keeps
LEAST = float(np.finfo(np.float32).tiny)  # probabilities are float32: below it nothing is known


@dataclass(frozen=True, eq=False)
class Reliability:
    """Pictures in bins of confidence: how many, their mean confidence, and the share that was right.

    edges: (bins + 1,). counts, confidence, accuracy: (bins,); the latter two 0 where a bin is empty. error:
    the expected calibration error (Guo et al. 2017, equation 3).
    """

    edges: Floats
    counts: NDArray[np.int64]
    confidence: Floats
    accuracy: Floats
    error: float


@dataclass(frozen=True, eq=False)
class RiskCoverage:
    """What share of the answers is wrong where only the most confident are taken.

    threshold, coverage, risk: one entry for each confidence that occurs, falling; coverage and risk between
    0 and 1. accepted, right: pictures. area: the mean risk over all coverages (AURC; Geifman, Uziel and
    El-Yaniv 2019, 1805.08206, section 2).
    """

    threshold: Floats
    accepted: NDArray[np.int64]
    right: NDArray[np.int64]
    coverage: Floats
    risk: Floats
    area: float


@dataclass(frozen=True, eq=False)
class CalibrationReport:
    """A model before and after: the figures are those of the pictures that the temperature was fitted on."""

    before: Predictions
    after: Predictions

    @property
    def calibration(self) -> Calibration:
        """What the model file keeps."""
        assert self.after.model.calibration is not None
        return self.after.model.calibration

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        sides = {
            name: {"loss": side.evaluation.loss, "calibration_error": side.evaluation.calibration_error}
            for name, side in (("before", self.before), ("after", self.after))
        }
        return sides | self.calibration.to_dict() | self.before.exposure.to_dict()


def at_temperature(probabilities: NDArray[np.float32], temperature: float) -> NDArray[np.float32]:
    """(N, classes) probabilities with their logits divided by the temperature: p^(1/T), summing to one."""
    if temperature == 1:
        return probabilities
    logits = np.log(np.maximum(probabilities.astype(np.float64), LEAST)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    powers = np.exp(logits)
    shares: NDArray[np.float32] = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def fit_temperature(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float | None:
    """The temperature that makes the labels most probable (Guo et al. 2017, section 4.2).

    None where there is no such: everything is right, so that the coldest is best, or nothing can be wrong.
    """
    from scipy.optimize import minimize_scalar

    if probabilities.shape[1] < 2 or (probabilities.argmax(axis=1) == labels).all():
        return None
    logits = np.log(np.maximum(probabilities.astype(np.float64), LEAST))
    logits -= logits.max(axis=1, keepdims=True)
    own = logits[np.arange(len(labels)), labels]

    def loss(logarithm: float) -> float:
        coldness = float(np.exp(-logarithm))
        return float((np.log(np.exp(coldness * logits).sum(axis=1)) - coldness * own).mean())

    bounds = (float(np.log(COLDEST)), float(np.log(HOTTEST)))
    # The loss is convex in the inverse of the temperature, so it has one minimum over its logarithm too.
    minimum = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-6})
    temperature = float(np.exp(minimum.x))
    inside = COLDEST * 1.01 < temperature < HOTTEST / 1.01
    return temperature if inside and minimum.fun < loss(0.0) + 1e-12 else None


def reliability(probabilities: NDArray[np.float32], labels: NDArray[np.int64], bins: int = 15) -> Reliability:
    """Confidence against accuracy in bins of equal width."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = (probabilities.argmax(axis=1) == labels).astype(np.float64)
    bin_indices = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    counts = np.bincount(bin_indices, minlength=bins)
    filled = np.maximum(counts, 1)
    return Reliability(
        np.linspace(0, 1, bins + 1),
        counts,
        np.bincount(bin_indices, weights=confidence, minlength=bins) / filled,
        np.bincount(bin_indices, weights=right, minlength=bins) / filled,
        calibration_error(probabilities, labels, bins),
    )


def risk_coverage(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> RiskCoverage:
    """The curve of risk against coverage; pictures of equal confidence are taken together."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    order = np.argsort(-confidence, kind="stable")
    falling, hits = confidence[order], np.cumsum(right[order])
    last = np.flatnonzero(np.append(falling[1:] != falling[:-1], True))
    accepted, correct = last + 1, hits[last]
    risk = 1 - correct / accepted
    widths = np.diff(accepted, prepend=0) / len(labels)
    return RiskCoverage(
        falling[last], accepted, correct, accepted / len(labels), risk, float((risk * widths).sum())
    )


def coverages(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> tuple[Coverage, ...]:
    """What a model file keeps of the curve, by rising threshold, from every picture accepted on.

    That is the thresholds above which answers are more often right than above all lower ones: others would
    never be chosen. Those with fewer than 20 pictures (or a tenth) above say too little and are left out.
    """
    curve = risk_coverage(probabilities, labels)
    enough = curve.accepted >= min(20, max(1, len(labels) // 10))
    rising, indices, best = np.flatnonzero(enough)[::-1], [], -1.0
    for index in rising.tolist():
        accuracy = curve.right[index] / curve.accepted[index]
        if accuracy > best:
            indices.append(index)
            best = accuracy
    if len(indices) > MOST_THRESHOLDS:
        spread = np.linspace(0, len(indices) - 1, MOST_THRESHOLDS).round().astype(np.int64)
        indices = [indices[number] for number in spread.tolist()]
    whole = len(labels)  # where all are accepted, nothing on other pictures is to be refused either
    return tuple(
        Coverage(
            0.0 if curve.accepted[index] == whole else float(curve.threshold[index]),
            int(curve.accepted[index]),
            int(curve.right[index]),
        )
        for index in indices
    )


def ideal_risk(curve: RiskCoverage, points: int = 400) -> tuple[Floats, Floats]:
    """Coverage and risk, (points,) each, of a model that knew its mistakes: all right answers come first."""
    errors = int(curve.accepted[-1] - curve.right[-1])
    coverage = np.linspace(0, 1, points)
    right = 1 - errors / int(curve.accepted[-1])
    return coverage, np.where(coverage > right, (coverage - right) / np.maximum(coverage, 1e-9), 0)


def highest_risk(curve: RiskCoverage) -> float:
    """Up to where a curve is drawn, in per cent: the few surest answers may all be wrong."""
    return max(100 * float(curve.risk[-1]) * 1.15, 100 * float(curve.risk.max()) * 0.5, 0.1)


def coverage_at(calibration: Calibration, accuracy: float) -> Coverage | None:
    """The lowest threshold from which on at least this share of the answers was right; None for none."""
    return next((c for c in calibration.coverages if c.right >= accuracy * c.accepted), None)


def before_and_after(answered: Predictions) -> list[tuple[str, Predictions]]:
    """The answers as the model was trained and, where it is calibrated, at its temperature; with names."""
    sides = [("as trained", with_temperature(answered, None))]
    calibration = answered.model.calibration
    if calibration is not None:
        sides.append((f"at temperature {calibration.temperature:.3f}", answered))
    return sides


def with_temperature(answered: Predictions, calibration: Calibration | None) -> Predictions:
    """The same answers as another calibration gives them."""
    known = answered.model.calibration
    old = 1.0 if known is None else known.temperature
    new = 1.0 if calibration is None else calibration.temperature
    return replace(
        answered,
        model=replace(answered.model, calibration=calibration),
        probabilities=at_temperature(answered.probabilities, new / old),
    )


def _unseen(model: Model, part: SplitPictures, say: Say) -> SplitPictures:
    """The pictures without those that the model was trained on, of which it is surer than of others.

    What its own validation split holds stays as it is. Raises DataError where nothing is left.
    """
    if part.same or model.seen is None or not part.exposure.trained_on:
        return part
    trained, _ = model.seen.find(part.pictures.images)
    if trained.all():
        raise DataError(
            f"the model was trained on all {len(trained):,} of these pictures, and calibration needs others: "
            "name a folder of those with --data"
        )
    say(
        f"{int(trained.sum()):,} of these {len(trained):,} pictures are among those that the model was "
        "trained on, and are left out"
    )
    pictures = part.pictures.take(np.flatnonzero(~trained))
    seen = exposure(model, pictures.images, part.exposure.left_out)
    return replace(part, pictures=pictures, exposure=seen)


def _unknown(model: Model, part: SplitPictures) -> str:
    """What to know of a model that keeps no record of its pictures, such as one of imported weights."""
    card = DATASETS.get(str(model.training.get("data")))
    if part.same and card is not None and card.validation:
        return (
            f"These pictures are held out of {card.name}'s training split, which weights from elsewhere were "
            "most likely trained on as a whole: it will be too sure of itself on others; "
            "name pictures that it cannot have seen with --data"
        )
    return (
        "This model does not say which pictures it was trained on: if these are among them, "
        "it will be too sure of itself on others"
    )


def calibrate_model(model: Model, config: CalibrateConfig, say: Say) -> CalibrationReport:
    """The model with a temperature and thresholds found on validation pictures, and its answers on them.

    Raises DataError where there are none, and as `predict_split`.
    """
    evaluate_config = EvaluateConfig.of(config, split="validation")
    model = replace(model, calibration=None)
    try:
        part = _unseen(model, find_pictures_of(model, evaluate_config, say), say)
    except DataError as error:
        if "split of" not in str(error) or "is empty" not in str(error):
            raise
        raise DataError(
            "calibration needs pictures that the model was not trained on, and this run kept none "
            "(--validation 0): name a folder of others"
        ) from None
    evaluate_config = settle_engine(evaluate_config, answer_work(model, evaluate_config, part), say)
    before = answer(model, evaluate_config, part)
    if model.training.get("fingerprint") is None if part.same else model.seen is None:
        say(_unknown(model, part))
    temperature = fit_temperature(before.probabilities, before.labels)
    if temperature is None:
        why = (
            "with one class nothing can be wrong"
            if len(model.classes) < 2
            else "there is no best one"
            if before.evaluation.correct < len(before)
            else "every answer is right, so that no confidence would be too high"
        )
        say(f"The temperature stays 1: {why}")
    calibration = Calibration(temperature or 1.0, before.title, len(before))
    after = with_temperature(before, calibration)
    if after.evaluation.calibration_error > before.evaluation.calibration_error:
        say(
            f"The loss fell, the calibration error rose: {len(before):,} pictures are few, or one "
            "temperature cannot mend what is wrong"
        )
    calibration = replace(calibration, coverages=coverages(after.probabilities, after.labels))
    return CalibrationReport(before, replace(after, model=replace(after.model, calibration=calibration)))
