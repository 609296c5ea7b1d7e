"""The options of `residua mistakes`."""

from __future__ import annotations

from dataclasses import dataclass

from residua.config import shared
from residua.config.shared import EngineName, Split, UnknownClasses, Views


@dataclass(frozen=True)
class MistakesConfig:
    """Everything that `residua mistakes` can be told."""

    data: str | None = shared.data()
    data_dir: str | None = shared.data_dir()
    labels: str | None = shared.labels()
    unknown_classes: UnknownClasses = shared.unknown_classes()
    split: Split = shared.split("test")
    show: int = 40
    """How many pictures are drawn, the worst mistakes first."""
    views: Views = shared.views()
    batch: int = shared.batch(256)
    output: str | None = shared.folder("the sheets")
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()
