"""The options of `residua train`, section by section."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from residua.config import shared
from residua.config.shared import EngineName


@dataclass(frozen=True)
class DataOptions:
    """Which pictures, how they are split and how they are varied."""

    data: str = shared.path(
        "A data set's name, or a folder of pictures: one folder per class, or as a publisher lays it out.",
        "digits",
    )
    data_dir: str | None = shared.data_dir()
    labels: str | None = shared.path(
        "Table of labels: file,label[,group][,split], or other usual names; a group stays in one split."
    )
    size: int | None = None
    """Height and width in pixels that picture files are brought to (64 for a folder)."""
    wide: int | None = None
    """Width in pixels of picture files that are not brought to squares; --size is their height then."""
    validation: float | None = None
    """Held out of the training split: a share, or a number of pictures (5000 for CIFAR, else 0.1)."""
    test: float | None = None
    """Share of picture files without a test split that becomes one (0.1; 0.2 for notMNIST's folders)."""
    groups: Literal["kept", "leaky"] = "kept"
    """kept: a driver, sign or other group is on one side of a split; leaky: split by picture."""
    copies: Literal["kept", "apart"] = "kept"
    """apart: pictures that are in the test split to the pixel, or in validation, are left out before it."""
    limit: int | None = None
    """At most so many pictures of each split, drawn by seed, each class in proportion (all)."""
    region: bool = False
    """Cut GTSRB's pictures to the sign, by the Roi columns of its tables."""
    crop: int | None = None
    """Pixels of padding for random crops; 0 for none (size / 8 for a folder, 4 for CIFAR, else 1 or 2)."""
    flip: bool | None = None
    """Mirror half of the pictures left to right (not for digits and letters)."""
    alternate_flip: bool | None = None
    """Mirror each picture in every other epoch, half in the first, not at random (CIFAR-10's recipe)."""
    border: Literal["mean", "reflect"] | None = None
    """Outside a picture crops see its mean colour, or it mirrored (mean; CIFAR-10's recipe: reflect)."""
    cutout: int = 0
    """Side in pixels of a square that is blanked out of every training picture; 0 for none."""
    input: int | None = None
    """Side in pixels of what the network sees: cut out of larger pictures, enlarged from smaller (as is)."""
    resized_crop: float = 0.0
    """Least share of the area that a random box keeps, which is then brought to size; 0 for none."""
    rotate: float = 0.0
    """Degrees that training pictures are turned by at most, either way."""
    shear: float = 0.0
    """Degrees that training pictures are sheared by at most, along both sides."""
    zoom: float = 0.0
    """Share that training pictures are enlarged by at most, or made smaller."""
    elastic: float = 0.0
    """Strength of an elastic deformation (alpha of Simard 2003: 34 for digits); 0 for none."""
    elastic_smooth: float = 4.0
    """Pixels over which the elastic deformation is smoothed (sigma)."""
    brightness: float = 0.0
    """Share by which the brightness of training pictures varies."""
    contrast: float = 0.0
    """Share by which their contrast varies."""
    saturation: float = 0.0
    """Share by which the strength of their colours varies."""
    hue: float = 0.0
    """Degrees that their colours are turned by at most, either way."""
    tint: float = 0.0
    """Share by which each colour channel varies on its own, as under coloured light."""
    pca_noise: float = 0.0
    """Standard deviation of noise along the principal colours (AlexNet's: 0.1)."""
    noise: float = 0.0
    """Standard deviation of noise on every pixel, as a share of the range."""
    randaugment: int = 0
    """Operations of RandAugment in a row; 0 for none."""
    magnitude: float = 9.0
    """How strong RandAugment's operations are, from 0 to 10."""
    mixup: float = 0.0
    """Mix each training picture with another, in shares from Beta(mixup, mixup); 0 for none."""
    cutmix: float = 0.0
    """Paste a box of another picture into each, of an area from Beta(cutmix, cutmix); 0 for none."""
    balance: bool = False
    """Weigh the loss so that every class counts the same."""


@dataclass(frozen=True)
class ModelOptions:
    """Which network."""

    model: str | None = None
    """A model's name; `residua models` lists them (CIFAR-10: airbench94, folders: resnet20; resnet8)."""
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

    from_: str | None = shared.path(
        "Base to learn from: model file, run folder or published weights; it gets a new head for the classes."
    )
    weights: str | None = shared.path(
        "Weights to begin with, head included: model file, run folder or published ones of as many classes."
    )
    freeze: int | Literal["all"] | None = None
    """How many of the base's stages, counted from the pictures, are not trained (all of them)."""
    unfreeze_at: int | None = None
    """The epoch from which all of the base is trained (never)."""
    depth_rate: float = 0.4
    """Learning rate of each of the base's stages, as a share of that of the next one towards the head."""


@dataclass(frozen=True)
class OptimizerOptions:
    """How a gradient becomes a step."""

    optimizer: Literal["sgd", "adam", "adamw", "rmsprop", "muon"] = "sgd"
    """The update rule."""
    rate: float | None = None
    """Peak (sgd 0.1, CIFAR 0.15, CIFAR-10's recipe 1.5, digits, folders 0.05; muon 0.02; others 0.001)."""
    momentum: float | None = None
    """Share of the velocity that is kept by sgd, muon, rmsprop (0.9; CIFAR-10's recipe: 0.85)."""
    nesterov: bool | None = None
    """Nesterov's momentum (sgd, muon; on for CIFAR)."""
    rest_rate: float = 1.0
    """Learning rate of what is no kernel of a convolution, in multiples of the kernels' (muon)."""
    decay: float | None = None
    """Weight decay (0.0001; 0.0005 for CIFAR; CIFAR-10's recipe: 0.00133)."""
    decoupled: bool = False
    """Decay the weights beside the gradient instead of through it (always so for adamw)."""
    decay_norms: bool = True
    """Decay normalisation weights and biases as well."""
    clip: float = 0.0
    """Largest norm of the whole gradient; 0 for no clipping."""
    smoothing: float | None = None
    """Label smoothing: the share of the target spread evenly over all classes (0; CIFAR-10's recipe: 0.2)."""
    average: float = 0.0
    """Decay per step of an exponential moving average of the weights, used to evaluate; 0 for none."""
    lookahead: bool | None = None
    """Every five steps weights fall back towards slow ones, which are evaluated (CIFAR-10's recipe)."""
    bias_rate: float | None = None
    """Learning rate of normalisation biases, in multiples of the others' (1; CIFAR-10's recipe: 64)."""
    whitening_epochs: int | None = None
    """Epochs in which the bias of a whitening first layer is trained (all of them; CIFAR-10's recipe: 3)."""


@dataclass(frozen=True)
class ScheduleOptions:
    """How long, and at which rate when."""

    epochs: int | None = None
    """Passes over the training split (6 to 70, as suits the data set)."""
    total_steps: int | None = None
    """Steps in all, instead of --epochs: schedule and last epoch end where they do."""
    batch: int | None = None
    """Pictures in a step (128; 32 for digits and folders; CIFAR-10's recipe: 1024)."""
    schedule: Literal["constant", "steps", "plateau", "cosine", "one-cycle", "triangle"] | None = None
    """steps: tenths at 1/2 and 3/4; plateau: when it stalls (one-cycle; CIFAR-10's recipe: triangle)."""
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
    engine: EngineName = shared.engine()
    threads: int | None = shared.threads()
    precision: Literal["float32", "tf32", "bfloat16"] = "float32"
    """Of products, on the engine jax; weights, statistics, loss and updates are always float32."""
    run: str | None = shared.path("Folder of the run (runs/DATA-MODEL-NUMBER).")
    checkpoint_seconds: float = 120.0
    """Longest time between two checkpoints; one is written after each epoch in any case."""
    checkpoint_steps: int = 0
    """Steps between two checkpoints; 0 for by time alone."""
    exact_ranks: bool = False
    """Under mpiexec or alone: the same bytes for 1, 2, 4 and 8 processes, each batch in eight parts."""
    stall: float = 300.0
    """Of several: seconds after which a process that does not answer is named, and the job ended."""
    hosts: int | Literal["auto"] | None = None
    """Processes that train together on the engine jax, one a machine; auto: as Slurm, MPI or a TPU say."""
    host_id: int | None = None
    """Which of the hosts this one is, from 0; host 0 alone prints and writes."""
    coordinator: str | None = None
    """Address of host 0, such as 10.0.0.1:8476, the same on all hosts."""
    host_wait: float = 60.0
    """Seconds in which all hosts must have come."""
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
