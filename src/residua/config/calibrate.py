"""The options of `residua calibrate`."""

from __future__ import annotations

from dataclasses import dataclass

from residua.config import shared
from residua.config.shared import EngineName, UnknownClasses


@dataclass(frozen=True)
class CalibrateConfig:
    """Everything that `residua calibrate` can be told."""

    data: str | None = shared.path(
        "Data set, whose validation split is used, or folder (the one that the model was trained on)."
    )
    data_dir: str | None = shared.data_dir()
    labels: str | None = shared.labels()
    unknown_classes: UnknownClasses = shared.unknown_classes()
    batch: int = shared.batch(256)
    output: str | None = shared.folder("the two pictures")
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()
