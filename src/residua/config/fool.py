"""The options of `residua fool`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from residua.config import shared
from residua.config.shared import EngineName, Split, UnknownClasses


@dataclass(frozen=True)
class FoolConfig:
    """Everything that `residua fool` can be told."""

    target: str | None = None
    """The class that the model shall see (any other than it sees now)."""
    method: Literal["fgsm", "iterated", "pgd"] = "pgd"
    """One step along the gradient's signs; many small steps; many from a random start inside the bound."""
    norm: Literal["inf", "l2"] = "inf"
    """How change is measured: the largest of any pixel's, or the root of the sum of all squared."""
    epsilon: float | None = None
    """How much may change, in steps of 8-bit pixels, 1 of 255 (the least that is found to be enough)."""
    most: float | None = None
    """Up to where the least is looked for (32; under l2 as much as 8 at every number of the picture)."""
    iterations: int | None = None
    """Steps of iterated and pgd (40; 20 for a curve), of noise (500), of class pictures (200)."""
    confidence: float | None = None
    """The probability that the new answer shall have (for a picture: to be the answer; for noise 0.99)."""
    show: int = 40
    """How many classes are drawn on a sheet, evenly chosen; a named target is drawn alone."""
    seed: int = 0
    """Draws random starts and noise."""
    split: Split = shared.split("test", "Which pictures the curve is measured on.")
    sample: int = 500
    """How many of them, evenly taken out of the split."""
    sizes: tuple[float, ...] = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 8.0)
    """The sizes of the curve, in steps of 8-bit pixels; pixels between whole numbers are taken there."""
    data_dir: str | None = shared.data_dir()
    labels: str | None = shared.labels()
    unknown_classes: UnknownClasses = shared.unknown_classes()
    output: str | None = shared.folder("the pictures")
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()
