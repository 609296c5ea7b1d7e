"""The options of `residua import`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from residua.config import shared


@dataclass(frozen=True)
class ImportConfig:
    """Everything that `residua import` can be told."""

    model: str | None = None
    """The architecture (found by the names and shapes of the weights)."""
    output: str | None = shared.path("The model file to write, or a folder for it (beside the weights).")
    classes: str | None = shared.path(
        "A data set's name, a file of names, or names with commas (classes.txt in a folder; class0, ...)."
    )
    size: int | None = None
    """Height and width in pixels that the network was trained at (the model's own)."""
    resize: int | None = None
    """Side in pixels at which pictures are read, of which the middle is kept (256 for those of 224)."""
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    """Mean per channel that was taken off the pixels, in 0..1 and the network's order (ImageNet's)."""
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    """Standard deviation per channel, in 0..1 (ImageNet's); 1/255 where pixels stayed 0..255."""
    order: Literal["RGB", "BGR"] = "RGB"
    """Order of the colours that the network takes."""
