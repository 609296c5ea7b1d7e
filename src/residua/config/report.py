"""The options of `residua report`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from residua.config.training import EngineName


@dataclass(frozen=True)
class ReportConfig:
    """Everything that `residua report` can be told."""

    data: str | None = None
    """Data set or folder (the one that the model was trained on)."""
    data_dir: str | None = None
    """Folder that holds the data sets; without it RESIDUA_DATA, then the user's cache, then a download."""
    labels: str | None = None
    """CSV table with the columns file,label[,group]."""
    split: Literal["test", "validation", "train"] = "test"
    """Which pictures the figures are about."""
    show: int = 24
    """How many mistakes are shown, the worst first."""
    batch: int = 256
    """Pictures at a time."""
    output: str | None = None
    """Folder for the report and the model card (beside the model)."""
    engine: EngineName = "auto"
    """What computes; auto takes numba, where it is installed, for jobs above a minute."""
    threads: int | None = None
    """Threads to compute with (the cores that this process may use)."""
