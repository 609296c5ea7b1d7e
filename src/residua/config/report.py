"""The options of `residua report`."""

from __future__ import annotations

from dataclasses import dataclass

from residua.config import shared
from residua.config.shared import EngineName, Split, UnknownClasses


@dataclass(frozen=True)
class ReportConfig:
    """Everything that `residua report` can be told."""

    data: str | None = shared.data()
    data_dir: str | None = shared.data_dir()
    labels: str | None = shared.labels()
    unknown_classes: UnknownClasses = shared.unknown_classes()
    split: Split = shared.split("test", "Which pictures the figures are about.")
    show: int = 24
    """How many mistakes are shown, the worst first."""
    batch: int = shared.batch(256)
    output: str | None = shared.folder("the report and the model card")
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()
