"""The options of `residua sweep`, and those that the file of a sweep has under [sweep]."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from residua.config import shared


@dataclass(frozen=True)
class SweepConfig:
    """Everything that `residua sweep` can be told beside its file."""

    workers: int = 1
    """Processes that train side by side; they share the cores."""
    output: str | None = shared.path(
        "Folder of the sweep, the same one for all who take part (sweeps/NAME of the file)."
    )


@dataclass(frozen=True)
class SweepFileConfig:
    """What the file of a sweep says under [sweep]: how trials are chosen, and which end early."""

    sampler: Literal["tpe", "grid"] = "tpe"
    """tpe: each trial from what the earlier ones came to (Bergstra 2011); grid: every combination."""
    trials: int | None = None
    """How many (20; of a grid all combinations)."""
    seed: int = 0
    """Draws the trials; training's own seed is an option of training."""
    pruner: Literal["none", "halving", "hyperband"] = "none"
    """Which trials end early, by their validation accuracy so far."""
    shortest: int = 1
    """Epochs that every trial gets before a pruner looks at it."""
    factor: int = 3
    """One of so many trials goes on past a look, for so many times as many epochs."""
