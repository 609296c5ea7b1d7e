"""The options of `residua experiment`."""

from __future__ import annotations

from dataclasses import dataclass

from residua.config import shared
from residua.config.shared import EngineName


@dataclass(frozen=True)
class ExperimentConfig:
    """Everything that `residua experiment` can be told."""

    variants: tuple[str, ...] = ()
    """Which variants of the experiment to run, by name (all; of a quick run those that take seconds)."""
    seeds: tuple[int, ...] = ()
    """Which seeds to run (those of each variant; of a quick run the first)."""
    quick: bool = False
    """A slice of the data and few steps, in seconds: to see that everything runs, not to repeat anything."""
    output: str | None = shared.path(
        "Folder for the runs, results.json, the table and the pictures (experiments-out/ here)."
    )
    data_dir: str | None = shared.data_dir()
    engine: EngineName | None = None
    """What computes (as the experiment says, else as train takes it)."""
    threads: int | None = shared.threads()
