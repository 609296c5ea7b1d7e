"""The options of `residua compare`."""

from __future__ import annotations

from dataclasses import dataclass

from residua.config import shared
from residua.config.shared import EngineName, Split, UnknownClasses


@dataclass(frozen=True)
class CompareConfig:
    """Everything that `residua compare` can be told."""

    data: str | None = shared.path("Data set or folder (the one that all were trained on).")
    data_dir: str | None = shared.data_dir()
    labels: str | None = shared.labels()
    unknown_classes: UnknownClasses = shared.unknown_classes()
    split: Split = shared.split("test")
    level: float = 0.05
    """How often equal models may be called different; intervals hold 1 minus that."""
    draws: int = 10_000
    """Bootstrap samples behind the interval of a difference."""
    seed: int = 0
    """Draws the bootstrap samples."""
    batch: int = shared.batch(256)
    output: str | None = shared.picture("compare.png")
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()
