"""The options of `residua export`."""

from __future__ import annotations

from dataclasses import dataclass

from residua.config import shared
from residua.config.shared import EngineName, Split, UnknownClasses


@dataclass(frozen=True)
class ExportConfig:
    """Everything that `residua export` can be told."""

    half: bool = False
    """Weights as float16: half the file; everything is computed in float32 all the same."""
    int8: bool = False
    """Weights and maps in 8 bits, fitted on validation pictures; refused where it costs over half a point."""
    opset: int = 17
    """The version of ONNX's operators, for a program that takes older ones alone, or newer."""
    proof: bool = True
    """Whether the checker of ONNX and ONNX Runtime, where they are installed, must pass the file first."""
    verify: str | None = shared.path(
        "Data set or folder whose pictures the proof takes (those that the model was trained on; else noise)."
    )
    data_dir: str | None = shared.data_dir()
    labels: str | None = shared.labels()
    unknown_classes: UnknownClasses = shared.unknown_classes()
    split: Split = shared.split("validation", "Which pictures the proof takes.")
    proof_pictures: int = 1000
    """How many pictures the proof takes, evenly (all where there are fewer)."""
    batch: int = shared.batch(64)
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()
