"""The options of `residua compare`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from residua.config.training import EngineName


@dataclass(frozen=True)
class CompareConfig:
    """Everything that `residua compare` can be told."""

    data: str | None = None
    """Data set or folder (the one that all were trained on)."""
    data_dir: str | None = None
    """Folder that holds the data sets; without it RESIDUA_DATA, then the user's cache, then a download."""
    labels: str | None = None
    """CSV table with the columns file,label[,group]."""
    split: Literal["test", "validation", "train"] = "test"
    """Which pictures."""
    level: float = 0.05
    """How often equal models may be called different; intervals hold 1 minus that."""
    draws: int = 10_000
    """Bootstrap samples behind the interval of a difference."""
    seed: int = 0
    """Draws the bootstrap samples."""
    batch: int = 256
    """Pictures at a time."""
    output: str | None = None
    """The picture to write (compare.png)."""
    engine: EngineName = "auto"
    """What computes; auto takes numba, where it is installed, for jobs above a minute."""
    threads: int | None = None
    """Threads to compute with (the cores that this process may use)."""
