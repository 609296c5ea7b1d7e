"""The options of `residua page`."""

from __future__ import annotations

from dataclasses import dataclass

from residua.config import shared
from residua.config.shared import EngineName


@dataclass(frozen=True)
class PageConfig:
    """Everything that `residua page` can be told."""

    half: bool = False
    """Weights as float16: half the page; what that changes is measured and told."""
    reject: float | None = None
    """The probability below which the page says 'not sure'."""
    reject_accuracy: float | None = shared.described(
        None, "The page says 'not sure' so often that this share of its other answers is right (0.95)."
    )
    data_dir: str | None = shared.data_dir()
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()
