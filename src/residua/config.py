"""Every option of every verb, and the only place where a default is written.

The sections are flat to the person who uses them: `--rate 0.1` on the command line, `rate = 0.1` in a
TOML file (under its section or not) and `rate=0.1` in Python all set `TrainConfig.optimizer.rate`.
A default of None means that the data set's card decides (see `residua.data.DATASETS`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

EngineName = Literal["auto", "numpy", "numba"]


@dataclass(frozen=True)
class DataOptions:
    """Which pictures, how they are split and how they are varied."""

    data: str = "digits"
    """A data set's name, or a folder of pictures with one folder per class."""
    data_dir: str | None = None
    """Folder that holds the data sets; without it RESIDUA_DATA, then the user's cache, then a download."""
    labels: str | None = None
    """CSV table with the columns file,label[,group]; pictures of one group stay on one side of a split."""
    size: int | None = None
    """Height and width in pixels that the pictures of a folder are brought to (64 for a folder)."""
    validation: float | None = None
    """Held out of the training split: a share, or a number of pictures (5000 for CIFAR, else 0.1)."""
    test: float = 0.1
    """Share of a folder without test/ that is kept for the test split."""
    crop: int | None = None
    """Pixels of padding for random crops; 0 for none (size / 8 for a folder, 4 for CIFAR, else 1 or 2)."""
    flip: bool | None = None
    """Mirror half of the pictures left to right (not for digits and letters)."""
    cutout: int = 0
    """Side in pixels of a square that is blanked out of every training picture; 0 for none."""
    balance: bool = False
    """Weigh the loss so that every class counts the same."""


@dataclass(frozen=True)
class ModelOptions:
    """Which network."""

    model: str | None = None
    """A model's name; `residua models` lists them (resnet20 for CIFAR and folders, else resnet8)."""
    width: int | None = None
    """Channels of the first stage (the model's own; 16 for resnet20, 8 with pictures like MNIST's)."""
    shortcut: Literal["A", "B"] | None = None
    """A: subsample and pad the channels with zeros; B: 1x1 projection (the model's own; A for resnet20)."""
    stem: Literal["large", "small"] | None = None
    """How resnet18 to resnet152 begin: large, 7x7 stride 2 and pooling; small, 3x3 for pictures below 64."""
    hidden: tuple[int, ...] = ()
    """Widths of fully connected layers before the softmax (the model's own; none for residual networks)."""
    dropout: float | None = None
    """Share of the features dropped before the last layers (the model's own; 0.5 for vgg16)."""


@dataclass(frozen=True)
class TransferOptions:
    """What training begins with, other than chance."""

    from_: str | None = None
    """Base to learn from: model file, run folder or published weights; it gets a new head for the classes."""
    weights: str | None = None
    """Weights to begin with, head included: model file, run folder or published ones of as many classes."""
    freeze: int | Literal["all"] | None = None
    """How many of the base's stages, counted from the pictures, are not trained (all of them)."""
    unfreeze_at: int | None = None
    """The epoch from which all of the base is trained (never)."""
    depth_rate: float = 0.4
    """Learning rate of each of the base's stages, as a share of that of the next one towards the head."""


@dataclass(frozen=True)
class OptimizerOptions:
    """How a gradient becomes a step."""

    optimizer: Literal["sgd", "adam", "adamw", "rmsprop"] = "sgd"
    """The update rule."""
    rate: float | None = None
    """Learning rate at the schedule's peak (sgd 0.1, CIFAR 0.15, digits and folders 0.05; others 0.001)."""
    momentum: float = 0.9
    """Share of the velocity that is kept (sgd, rmsprop)."""
    nesterov: bool | None = None
    """Nesterov's momentum (sgd; on for CIFAR)."""
    decay: float | None = None
    """Weight decay (0.0001; 0.0005 for CIFAR)."""
    decoupled: bool = False
    """Decay the weights beside the gradient instead of through it (always so for adamw)."""
    decay_norms: bool = True
    """Decay normalisation weights and biases as well."""
    clip: float = 0.0
    """Largest norm of the whole gradient; 0 for no clipping."""
    smoothing: float = 0.0
    """Label smoothing: the share of the target spread evenly over all classes."""
    average: float = 0.0
    """Decay per step of an exponential moving average of the weights, used to evaluate; 0 for none."""


@dataclass(frozen=True)
class ScheduleOptions:
    """How long, and at which rate when."""

    epochs: int | None = None
    """Passes over the training split (6 to 30, as suits the data set)."""
    batch: int | None = None
    """Pictures in a step (128; 32 for digits and folders)."""
    schedule: Literal["constant", "steps", "plateau", "cosine", "one-cycle"] = "one-cycle"
    """steps: the paper's, divided by ten at 1/2 and 3/4; plateau: divided by ten when validation stalls."""
    warmup: float = 0.0
    """Epochs of linear warm-up before steps, plateau and cosine."""
    plateau_patience: int = 5
    """Epochs without a better validation accuracy before plateau divides the rate."""
    stop_patience: int = 0
    """Epochs without a better validation accuracy before training stops; 0 for never."""


@dataclass(frozen=True)
class RunOptions:
    """Where and on what it runs, and what is written."""

    seed: int = 0
    """One seed: split, weights, order and augmentation follow from it."""
    engine: EngineName = "auto"
    """What computes; auto takes numba, where it is installed, for jobs above a minute."""
    threads: int | None = None
    """Threads to compute with (the cores that this process may use)."""
    run: str | None = None
    """Folder of the run (runs/DATA-MODEL-NUMBER)."""
    checkpoint_seconds: float = 120.0
    """Longest time between two checkpoints; one is written after each epoch in any case."""
    checkpoint_steps: int = 0
    """Steps between two checkpoints; 0 for by time alone."""
    final_test: bool = True
    """Evaluate the best model on the test split, once, at the end."""


@dataclass(frozen=True)
class TrainConfig:
    """Everything that `residua train` can be told."""

    data: DataOptions = field(default_factory=DataOptions)
    model: ModelOptions = field(default_factory=ModelOptions)
    transfer: TransferOptions = field(default_factory=TransferOptions)
    optimizer: OptimizerOptions = field(default_factory=OptimizerOptions)
    schedule: ScheduleOptions = field(default_factory=ScheduleOptions)
    run: RunOptions = field(default_factory=RunOptions)


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
    batch: int = 256
    """Pictures at a time."""
    output: str | None = None
    """Folder for the picture of the confusion matrix (beside the model)."""
    engine: EngineName = "auto"
    """What computes; auto takes numba, where it is installed, for jobs above a minute."""
    threads: int | None = None
    """Threads to compute with (the cores that this process may use)."""


@dataclass(frozen=True)
class PredictConfig:
    """Everything that `residua predict` can be told."""

    top: int = 3
    """How many names to give for each picture."""
    batch: int = 64
    """Pictures at a time."""
    engine: EngineName = "auto"
    """What computes; auto takes numba, where it is installed, for jobs above a minute."""
    threads: int | None = None
    """Threads to compute with (the cores that this process may use)."""


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
