"""The options of `residua ensemble`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from residua.config import shared
from residua.config.shared import EngineName, UnknownClasses


@dataclass(frozen=True)
class EnsembleConfig:
    """Everything that `residua ensemble` can be told."""

    method: Literal["mean", "weighted", "vote"] = "mean"
    """mean of the probabilities; weighted: with weights chosen on the validation split; vote: majority."""
    data: str | None = shared.path(
        "Data set or folder to report on, and to choose weights on (the one that all were trained on)."
    )
    data_dir: str | None = shared.data_dir()
    labels: str | None = shared.labels()
    unknown_classes: UnknownClasses = shared.unknown_classes()
    split: Literal["test", "validation"] = "validation"
    """Which pictures the report is about."""
    batch: int = shared.batch(256)
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()
