"""The options of `residua inside`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from residua.config import shared
from residua.config.shared import EngineName, Split, UnknownClasses


@dataclass(frozen=True)
class InsideConfig:
    """Everything that `residua inside` can be told."""

    data: str | None = shared.data()
    data_dir: str | None = shared.data_dir()
    labels: str | None = shared.labels()
    unknown_classes: UnknownClasses = shared.unknown_classes()
    split: Split = shared.split("test")
    sample: int = 1000
    """How many of them are looked at, evenly taken out of the split."""
    stage: str | None = None
    """The stage whose channels are shown, by name or layer path (the last before the head)."""
    channels: tuple[int, ...] = ()
    """Which channels' strongest pictures are shown, from 0 (eight, spread over all that are ever on)."""
    map: Literal["pca", "tsne", "both", "none"] = "both"
    """How features are laid out in two dimensions."""
    seed: int = 0
    """Draws where t-SNE starts."""
    output: str | None = shared.folder("the pictures")
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()
