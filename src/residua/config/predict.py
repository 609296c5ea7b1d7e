"""The options of `residua predict`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from residua.config import shared
from residua.config.shared import EngineName, Views

Table = Literal["csv", "jsonl", "parquet"]


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
class BulkConfig:
    """How pictures by the million are answered, in parts that are whole or not there."""

    output: str | None = shared.path(
        "Folder for the answers, in parts; the same command again goes on there."
    )
    table: Table = "csv"
    """What the answers are written as."""
    part: int = 1000
    """Pictures in a part."""
    workers: int = 1
    """Processes of this machine that answer; its cores are divided among them."""
    scheduler: str | None = None
    """Address of a Dask scheduler, such as tcp://host:8786, whose workers answer instead."""
    max_failures: float | None = None
    """Pictures that may be unreadable, as a share below 1 or a number, before it ends (any)."""
    join: bool = True
    """Write one table of all parts at the end."""
