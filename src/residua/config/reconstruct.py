"""The options of `residua reconstruct`."""

from __future__ import annotations

from dataclasses import dataclass

from residua.config import shared
from residua.config.shared import EngineName, Split, UnknownClasses


@dataclass(frozen=True)
class ReconstructConfig:
    """Everything that `residua reconstruct` can be told."""

    data: str | None = shared.data()
    data_dir: str | None = shared.data_dir()
    labels: str | None = shared.labels()
    unknown_classes: UnknownClasses = shared.unknown_classes()
    split: Split = shared.split("validation")
    output: str | None = shared.folder("the two pictures")
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()
