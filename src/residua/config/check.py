"""The options of `residua check`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from residua.config import shared


@dataclass(frozen=True)
class CheckConfig:
    """Everything that `residua check` can be told."""

    data_dir: str | None = shared.data_dir()
    labels: str | None = shared.labels()
    size: int | None = None
    """Height and width in pixels at which picture files are compared (64 for a folder)."""
    validation: float | None = None
    """Held out of the training split: a share, or a number of pictures (as for training)."""
    test: float | None = None
    """Share of picture files without a test split that becomes one (0.1; 0.2 for notMNIST's folders)."""
    groups: Literal["kept", "leaky"] = "kept"
    """kept: a driver, sign or other group is on one side of a split; leaky: split by picture."""
    seed: int = 0
    """Draws the splits, as for training."""
    near: bool = True
    """Look for near copies too: the same picture but for a crop, a hue or a compression."""
    output: str | None = shared.picture("check-DATA.png")
