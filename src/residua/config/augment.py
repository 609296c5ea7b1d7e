"""The options of `residua augment`."""

from __future__ import annotations

from dataclasses import dataclass, field

from residua.config import shared
from residua.config.train import DataOptions


@dataclass(frozen=True)
class SheetOptions:
    """What is drawn of the variations, and where."""

    seed: int = 0
    """Draws the variations, as for training."""
    pictures: int = 6
    """How many training pictures are shown, of one class after the other."""
    variations: int = 8
    """How many variations of each: those of as many epochs."""
    output: str | None = shared.picture("augment-DATA.png")


@dataclass(frozen=True)
class SheetConfig:
    """Everything that `residua augment` can be told."""

    data: DataOptions = field(default_factory=DataOptions)
    sheet: SheetOptions = field(default_factory=SheetOptions)
