"""The options that `predict` and `evaluate` have for pictures by the million, answered in parts."""

# No annotations from __future__: they would be looked up in the files of the classes that inherit them.
from dataclasses import dataclass
from typing import Literal

Table = Literal["csv", "jsonl", "parquet"]


@dataclass(frozen=True)
class PartsConfig:
    """How pictures are answered in parts that are whole or not there."""

    table: Table = "csv"
    """What the answers are written as."""
    part: int = 1000
    """Pictures in a part."""
    workers: int = 1
    """Processes of this machine that answer; its cores are divided among them."""
    scheduler: str | None = None
    """Address of a Dask scheduler, such as tcp://host:8786, whose workers answer instead."""
    stall: float = 300.0
    """Seconds without an answer after which a worker is ended and its pictures are looked at one by one."""
    max_failures: float | None = None
    """Pictures that may be unreadable, as a share below 1 or a number, before it ends (any)."""
    join: bool = True
    """Write one table of all parts at the end."""
