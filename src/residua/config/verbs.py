"""The options of the verbs beside training."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal

from residua.config.training import DataOptions, EngineName


@dataclass(frozen=True)
class EvaluateConfig:
    """Everything that `residua evaluate` can be told."""

    data: str | None = None
    """Data set or folder (the one that the model was trained on)."""
    data_dir: str | None = None
    """Folder that holds the data sets; without it RESIDUA_DATA, then the user's cache, then a download."""
    labels: str | None = None
    """CSV table with the columns file,label[,group]."""
    split: Literal["test", "validation", "train"] = "test"
    """Which pictures."""
    views: Literal["one", "flips", "five", "ten"] = "one"
    """How often each is looked at: mirrored too, in the middle and the corners, or both; the mean counts."""
    batch: int = 256
    """Pictures at a time."""
    output: str | None = None
    """Folder for the picture of the confusion matrix (beside the model)."""
    engine: EngineName = "auto"
    """What computes; auto takes numba, where it is installed, for jobs above a minute."""
    threads: int | None = None
    """Threads to compute with (the cores that this process may use)."""

    @classmethod
    def of(cls, options: Any, **given: Any) -> EvaluateConfig:
        """What another verb's options say of the same things, but for what is `given`; not where files go."""
        shared = {entry.name for entry in fields(cls)} - {"output"}
        known = {name: value for name, value in vars(options).items() if name in shared and value is not None}
        return cls(**known | given)


@dataclass(frozen=True)
class EnsembleConfig:
    """Everything that `residua ensemble` can be told."""

    method: Literal["mean", "weighted", "vote"] = "mean"
    """mean of the probabilities; weighted: with weights chosen on the validation split; vote: majority."""
    data: str | None = None
    """Data set or folder to report on, and to choose weights on (the one that all were trained on)."""
    data_dir: str | None = None
    """Folder that holds the data sets; without it RESIDUA_DATA, then the user's cache, then a download."""
    labels: str | None = None
    """CSV table with the columns file,label[,group]."""
    split: Literal["test", "validation"] = "validation"
    """Which pictures the report is about."""
    batch: int = 256
    """Pictures at a time."""
    engine: EngineName = "auto"
    """What computes; auto takes numba, where it is installed, for jobs above a minute."""
    threads: int | None = None
    """Threads to compute with (the cores that this process may use)."""


@dataclass(frozen=True)
class ReconstructConfig:
    """Everything that `residua reconstruct` can be told."""

    data: str | None = None
    """Data set or folder (the one that the model was trained on)."""
    data_dir: str | None = None
    """Folder that holds the data sets; without it RESIDUA_DATA, then the user's cache, then a download."""
    split: Literal["test", "validation", "train"] = "validation"
    """Which pictures."""
    output: str | None = None
    """Folder for the two pictures (beside the model)."""
    engine: EngineName = "auto"
    """What computes; auto takes numba, where it is installed, for jobs above a minute."""
    threads: int | None = None
    """Threads to compute with (the cores that this process may use)."""


@dataclass(frozen=True)
class PredictConfig:
    """Everything that `residua predict` can be told."""

    top: int = 3
    """How many names to give for each picture."""
    reject: float | None = None
    """Say 'not sure' where the first name's probability is below this."""
    reject_accuracy: float | None = None
    """Say 'not sure' as needed to be right so often on the pictures of `residua calibrate`, such as 0.99."""
    views: Literal["one", "flips", "five", "ten"] = "one"
    """How often each is looked at: mirrored too, in the middle and the corners, or both; the mean counts."""
    batch: int = 64
    """Pictures at a time."""
    engine: EngineName = "auto"
    """What computes; auto takes numba, where it is installed, for jobs above a minute."""
    threads: int | None = None
    """Threads to compute with (the cores that this process may use)."""


@dataclass(frozen=True)
class CheckConfig:
    """Everything that `residua check` can be told."""

    data_dir: str | None = None
    """Folder that holds the data sets; without it RESIDUA_DATA, then the user's cache, then a download."""
    labels: str | None = None
    """CSV table with the columns file,label[,group]."""
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
    output: str | None = None
    """The picture to write (check-DATA.png)."""


@dataclass(frozen=True)
class SheetOptions:
    """What is drawn of the variations, and where."""

    seed: int = 0
    """Draws the variations, as for training."""
    pictures: int = 6
    """How many training pictures are shown, of one class after the other."""
    variations: int = 8
    """How many variations of each: those of as many epochs."""
    output: str | None = None
    """The picture to write (augment-DATA.png)."""


@dataclass(frozen=True)
class SheetConfig:
    """Everything that `residua augment` can be told."""

    data: DataOptions = field(default_factory=DataOptions)
    sheet: SheetOptions = field(default_factory=SheetOptions)


@dataclass(frozen=True)
class ImportConfig:
    """Everything that `residua import` can be told."""

    model: str | None = None
    """The architecture (found by the names and shapes of the weights)."""
    output: str | None = None
    """The model file to write (beside the weights)."""
    classes: str | None = None
    """A data set's name, a file of names, or names with commas (classes.txt in a folder; class0, ...)."""
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


@dataclass(frozen=True)
class BenchConfig:
    """Everything that `residua bench` can be told."""

    cases: tuple[str, ...] = ("main",)
    """What to measure; `all` for everything."""
    threads: int | None = None
    """Threads for either side (the cores that this process may use)."""
    rounds: int = 10
    """How many times both sides take turns."""
    seconds: float = 60.0
    """After so many seconds a line of the table gets no further round."""
    json: str | None = None
    """File for the figures, with machine and versions."""
    engine: EngineName = "auto"
    """What computes on residua's side; auto takes numba where it is installed."""
    processor_time: bool = False
    """Count processor time instead of wall time, for one thread on a busy machine."""
