"""The options of `residua explain`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from residua.config import shared
from residua.config.shared import EngineName, Split, UnknownClasses

SaliencyMethod = Literal["gradient", "smooth", "integrated", "guided", "grad-cam", "occlusion"]


@dataclass(frozen=True)
class ExplainConfig:
    """Everything that `residua explain` can be told."""

    methods: tuple[SaliencyMethod, ...] = ()
    """Which maps are drawn, in this order (all that the network has)."""
    target: str | None = None
    """The class whose score is explained, by name (each picture's most probable one)."""
    stage: str | None = None
    """Whose maps Grad-CAM takes: a stage's name or a layer's path (the last stage before the head)."""
    numbers: tuple[int, ...] = ()
    """Pictures of the data set by number, from 0, instead of files."""
    data: str | None = shared.path(
        "Data set or folder that the numbers are of (the one that the model was trained on)."
    )
    data_dir: str | None = shared.data_dir()
    labels: str | None = shared.labels()
    unknown_classes: UnknownClasses = shared.unknown_classes()
    split: Split = shared.split("test", "The split that the numbers are of.")
    samples: int = 50
    """Noisy copies of a picture whose gradients SmoothGrad takes the mean of."""
    noise: float = 0.15
    """Their noise: its standard deviation as a share of the picture's range."""
    baseline: Literal["black", "white", "mean"] = "black"
    """Where integrated gradients begin: a black or white picture, or the mean colour."""
    most_steps: int = 1024
    """Integrated gradients take more steps until 0.5 % is missing, up to so many."""
    patch: int | None = None
    """Side of the square that covers parts of the picture, in pixels (a fifth of the shorter side)."""
    sheet: int | None = None
    """Pictures on a sheet; 1 draws each large, in a file of its own (1 up to 8 pictures, beyond ten rows)."""
    check: bool = False
    """Say how much the maps change when weights are made random: one that stays says little of the model."""
    seed: int = 0
    """Draws SmoothGrad's noise and the random weights."""
    batch: int | None = None
    """Pictures at a time (as memory suggests)."""
    output: str | None = shared.folder("the overlays")
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()
