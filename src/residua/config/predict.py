"""The options of `residua predict`."""

from __future__ import annotations

from dataclasses import dataclass

from residua.config import shared
from residua.config.parts import PartsConfig
from residua.config.shared import EngineName, Views


@dataclass(frozen=True)
class PredictConfig:
    """Everything that `residua predict` can be told."""

    top: int = 3
    """How many names to give for each picture."""
    reject: float | None = None
    """Say 'not sure' where the first name's probability is below this."""
    reject_accuracy: float | None = None
    """Say 'not sure' as needed to be right so often on the pictures of `residua calibrate`, such as 0.99."""
    views: Views = shared.views()
    batch: int = shared.batch(64)
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()


@dataclass(frozen=True)
class PredictPartsConfig(PartsConfig):
    """How `residua predict` answers in parts."""

    output: str | None = shared.path(
        "Folder for the answers, in parts; the same command again goes on there."
    )
