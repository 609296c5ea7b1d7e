"""A model exported: the file's bytes, the proof, and what smaller weights cost."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.config import ExportConfig
from residua.deploy.agreement import compare_answers
from residua.deploy.onnx.messages import IR_VERSIONS, OPSET
from residua.deploy.onnx.metadata import describe_model, properties
from residua.deploy.onnx.network import to_onnx
from residua.deploy.onnx.quantization import quantize
from residua.deploy.onnx.runtime import answer, check_file, missing, open_session, require, seconds_a_picture
from residua.deploy.onnx.verification import NOISE, Verification, find_answers, named, settle
from residua.errors import ConfigError, ResiduaError
from residua.insight.evaluation.predictions import Predictions
from residua.models.model_file import Model

MOST_LOSS = 0.005  # of accuracy, that smaller weights may cost: half a point
LEAST_PICTURES, CALIBRATING = 40, 256  # for 8 bits: in all, and of these to fit ranges on

Say = Callable[[str], None]


@dataclass(frozen=True)
class Smaller:
    """What smaller weights cost beside float32, on the same pictures in ONNX Runtime.

    weights: "float16" or "int8". calibrated_on: pictures that 8 bits were fitted on, which are not among the
    `pictures` measured. seconds: of one picture in a batch, float32's and its own.
    """

    weights: str
    bytes: int
    float_bytes: int
    pictures: int
    same: int
    largest_difference: float
    float_accuracy: float | None
    accuracy: float | None
    calibrated_on: int
    seconds: tuple[float, float] = (0.0, 0.0)

    @property
    def loss(self) -> float:
        """Accuracy lost, as a share; 0 of noise."""
        if self.accuracy is None or self.float_accuracy is None:
            return 0.0
        return self.float_accuracy - self.accuracy

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return dict(vars(self)) | {"seconds": list(self.seconds), "loss": self.loss}


@dataclass(frozen=True, eq=False)
class Export:
    """An ONNX file that is ready to be written, and what is known of it; `model` is its metadata."""

    content: bytes = field(repr=False)
    model: dict[str, Any] = field(repr=False)
    nodes: int
    transposes: int
    opset: int = OPSET
    weights: str = "float32"
    verification: Verification | None = None
    unproved: str | None = None
    smaller: Smaller | None = None

    @property
    def ir_version(self) -> int:
        """That came with the opset."""
        return IR_VERSIONS[self.opset]

    def to_dict(self) -> dict[str, Any]:
        """What the JSON beside the file holds."""
        return {
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "bytes": len(self.content),
            "opset": self.opset,
            "ir_version": self.ir_version,
            "nodes": self.nodes,
            "transposes": self.transposes,
            "weights": self.weights,
            "verification": None if self.verification is None else named(self.verification).to_dict(),
            "unproved": self.unproved,
            "smaller": None if self.smaller is None else self.smaller.to_dict(),
            "model": self.model,
        }


def export_model(model: Model, config: ExportConfig, say: Say) -> Export:
    """The model as an ONNX file, proved where that is wanted and possible.

    Raises ConfigError where options contradict each other, a package is missing or a layer has no export;
    ResiduaError where the proof fails or 8 bits cost more than half a point.
    """
    check_options(config)
    description = describe_model(model)
    metadata = properties(description, model.preprocessing)
    exported = to_onnx(model, metadata, opset=config.opset)
    transposes = sum(node.operator == "Transpose" for node in exported.nodes)
    found = Export(exported.content, description, len(exported.nodes), transposes, config.opset)
    half = to_onnx(model, metadata, half=True, opset=config.opset) if config.half else None
    if not config.proof or missing():
        reason = "not asked for" if not config.proof else f"{' and '.join(missing())} not installed"
        found = replace(found, unproved=reason)
        return found if half is None else replace(found, content=half.content, weights="float16")
    check_file(found.content)
    answered = find_answers(model, config, say)
    session = open_session(found.content, config.threads)
    answered, verification, probabilities = settle(session, answered, config)
    if not verification.passed:
        raise ResiduaError(_failure(verification))
    found = replace(found, verification=verification)
    proved = _Proved(answered, session, probabilities)
    if half is not None:
        return _with(found, half.content, "float16", proved, config)
    if config.int8:
        fitted, measured = _divide(answered)
        content = quantize(exported, answered.pictures.take(fitted).images, metadata)
        return _with(found, content, "int8", proved.take(measured), config, len(fitted))
    return found


def check_options(config: ExportConfig) -> None:
    """Raise ConfigError for options that do not go together, or that take what is not installed."""
    if config.half and config.int8:
        raise ConfigError("choose one of --half and --int8")
    if config.verify is not None:
        if not config.proof:
            raise ConfigError("--verify names pictures for the proof that --no-proof leaves out: choose one")
        require("--verify")
    if config.int8:
        if not config.proof:
            raise ConfigError("--int8 is written only with its loss measured: leave --no-proof out")
        require("--int8")


def _failure(found: Verification) -> str:
    parts = [f"of {found.pictures:,} pictures {found.pictures - found.same:,} are answered otherwise"]
    if found.changes:
        worst = found.changes[0]
        parts.append(f"such as {worst.picture} ({worst.residua}, by ONNX Runtime {worst.onnx})")
    parts.append(f"probabilities differ by up to {found.largest_difference:.1e}")
    return (
        f"the proof fails, and nothing is written: {', '.join(parts)}; --no-proof writes the file "
        "all the same"
    )


@dataclass(frozen=True, eq=False)
class _Proved:
    """Pictures with residua's answers, and ONNX Runtime's in float32."""

    answered: Predictions
    session: Any
    probabilities: NDArray[np.float32]

    def take(self, indices: NDArray[np.int64]) -> _Proved:
        pictures, ours = self.answered.pictures.take(indices), self.answered.probabilities[indices]
        answered = replace(self.answered, pictures=pictures, probabilities=ours)
        return _Proved(answered, self.session, self.probabilities[indices])


def _divide(answered: Predictions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pictures that 8 bits are fitted on, and others to measure them. Raises ConfigError without enough."""
    count = 0 if answered.data == NOISE else len(answered)
    if count < LEAST_PICTURES:
        raise ConfigError(
            f"--int8 takes {LEAST_PICTURES} or more labelled pictures that the model was not trained on, and "
            f"there are {count or 'none'}: name data with --verify, or leave --int8 out"
        )
    fitted = np.unique(np.linspace(0, count - 1, min(CALIBRATING, count // 3)).round().astype(np.int64))
    return fitted, np.setdiff1d(np.arange(count), fitted)


def _with(
    found: Export, content: bytes, weights: str, proved: _Proved, config: ExportConfig, fitted: int = 0
) -> Export:
    """The file with smaller weights, and what they cost. Raises ResiduaError above half a point."""
    check_file(content)
    session, answered, before = open_session(content, config.threads), proved.answered, proved.probabilities
    after = answer(session, answered.pictures.images, config.batch)
    agreement = compare_answers(before, after, None if answered.data == NOISE else answered.labels)
    cost = Smaller(
        weights,
        len(content),
        len(found.content),
        len(answered),
        same=agreement.same,
        largest_difference=agreement.largest_difference,
        float_accuracy=agreement.accuracy,
        accuracy=agreement.other_accuracy,
        calibrated_on=fitted,
    )
    if cost.loss > MOST_LOSS:
        raise ResiduaError(
            f"{weights} would cost {100 * cost.loss:.2f} points of accuracy on {cost.pictures:,} pictures, "
            f"more than half a point, and nothing is written: leave --{'int8' if fitted else 'half'} out"
        )
    batch = answered.pictures.images[: config.batch]
    float_seconds, seconds = seconds_a_picture([proved.session, session], batch)
    cost = replace(cost, seconds=(float_seconds, seconds))
    return replace(found, content=content, weights=weights, smaller=cost)
