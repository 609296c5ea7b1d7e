"""The options of the verbs that look into trained models and runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from residua.config.training import DataOptions, EngineName, ModelOptions, OptimizerOptions, TransferOptions


@dataclass(frozen=True)
class MistakesConfig:
    """Everything that `residua mistakes` can be told."""

    data: str | None = None
    """Data set or folder (the one that the model was trained on)."""
    data_dir: str | None = None
    """Folder that holds the data sets; without it RESIDUA_DATA, then the user's cache, then a download."""
    labels: str | None = None
    """CSV table with the columns file,label[,group]."""
    split: Literal["test", "validation", "train"] = "test"
    """Which pictures."""
    show: int = 40
    """How many pictures are drawn, the worst mistakes first."""
    views: Literal["one", "flips", "five", "ten"] = "one"
    """How often each is looked at: mirrored too, in the middle and the corners, or both; the mean counts."""
    batch: int = 256
    """Pictures at a time."""
    output: str | None = None
    """Folder for the sheets (beside the model)."""
    engine: EngineName = "auto"
    """What computes; auto takes numba, where it is installed, for jobs above a minute."""
    threads: int | None = None
    """Threads to compute with (the cores that this process may use)."""


@dataclass(frozen=True)
class CalibrateConfig:
    """Everything that `residua calibrate` can be told."""

    data: str | None = None
    """Data set, whose validation split is used, or folder (the one that the model was trained on)."""
    data_dir: str | None = None
    """Folder that holds the data sets; without it RESIDUA_DATA, then the user's cache, then a download."""
    labels: str | None = None
    """CSV table with the columns file,label[,group]."""
    batch: int = 256
    """Pictures at a time."""
    output: str | None = None
    """Folder for the two pictures (beside the model)."""
    engine: EngineName = "auto"
    """What computes; auto takes numba, where it is installed, for jobs above a minute."""
    threads: int | None = None
    """Threads to compute with (the cores that this process may use)."""


@dataclass(frozen=True)
class InsideConfig:
    """Everything that `residua inside` can be told."""

    data: str | None = None
    """Data set or folder (the one that the model was trained on)."""
    data_dir: str | None = None
    """Folder that holds the data sets; without it RESIDUA_DATA, then the user's cache, then a download."""
    labels: str | None = None
    """CSV table with the columns file,label[,group]."""
    split: Literal["test", "validation", "train"] = "test"
    """Which pictures."""
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
    output: str | None = None
    """Folder for the pictures (beside the model)."""
    engine: EngineName = "auto"
    """What computes; auto takes numba, where it is installed, for jobs above a minute."""
    threads: int | None = None
    """Threads to compute with (the cores that this process may use)."""


@dataclass(frozen=True)
class CurvesConfig:
    """Everything that `residua curves` can be told."""

    output: str | None = None
    """The picture to write (curves.png in the run folder; curves.png here for several runs)."""


@dataclass(frozen=True)
class SweepOptions:
    """How rates are tried, and on what."""

    lowest: float = 1e-5
    """The first rate."""
    highest: float = 10.0
    """The last rate; the test ends earlier where the loss grows to four times its least."""
    steps: int = 150
    """Steps from the first rate to the last, each with a rate higher by the same factor."""
    batch: int | None = None
    """Pictures in a step (as for training)."""
    seed: int = 0
    """Draws weights and order, as for training."""
    engine: EngineName = "auto"
    """What computes; auto takes numba, where it is installed, for jobs above a minute."""
    threads: int | None = None
    """Threads to compute with (the cores that this process may use)."""
    output: str | None = None
    """The picture to write (rates-DATA.png)."""


@dataclass(frozen=True)
class SweepConfig:
    """Everything that `residua find-rate` can be told."""

    sweep: SweepOptions = field(default_factory=SweepOptions)
    data: DataOptions = field(default_factory=DataOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    transfer: TransferOptions = field(default_factory=TransferOptions)
    optimizer: OptimizerOptions = field(default_factory=OptimizerOptions)
