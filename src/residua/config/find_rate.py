"""The options of `residua find-rate`."""

from __future__ import annotations

from dataclasses import dataclass, field

from residua.config import shared
from residua.config.shared import EngineName
from residua.config.train import DataOptions, ModelOptions, OptimizerOptions, TransferOptions


@dataclass(frozen=True)
class FindRateOptions:
    """How rates are tried, and on what."""

    lowest: float = 1e-5
    """The first rate."""
    highest: float = 10.0
    """The last rate; the test ends earlier where the loss grows to four times its least."""
    steps: int = 150
    """Steps from the first rate to the last, each with a rate higher by the same factor."""
    batch: int | None = None
    """Pictures in a step (as for training)."""
    seed: int = 0
    """Draws weights and order, as for training."""
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()
    output: str | None = shared.picture("rates-DATA.png")


@dataclass(frozen=True)
class FindRateConfig:
    """Everything that `residua find-rate` can be told."""

    sweep: FindRateOptions = field(default_factory=FindRateOptions)
    data: DataOptions = field(default_factory=DataOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    transfer: TransferOptions = field(default_factory=TransferOptions)
    optimizer: OptimizerOptions = field(default_factory=OptimizerOptions)
