"""residua's side of the benchmarks, made of what `residua train` and `residua predict` are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.bench.timing import Workload
from residua.config import OptimizerOptions
from residua.engines import Engine
from residua.errors import NonFiniteError
from residua.layers import Layer
from residua.layers.parameters import ZeroGenerator
from residua.models.architectures.alexnet import alexnet
from residua.models.architectures.large_resnet import large_resnet
from residua.models.architectures.small_resnet import small_resnet
from residua.models.architectures.squeezenet import squeezenet
from residua.models.architectures.vgg import vgg
from residua.training.optimizers import make_optimizer
from residua.training.step import Step, make_step, start_state
from residua.variables import Tree, count_parameters, settled, transform

Pictures = NDArray[np.float32]
Labels = NDArray[np.int64]

# CIFAR's recipe, but for the rate: so small a one that nothing overflows on random pictures.
OPTIONS = OptimizerOptions(rate=0.001, momentum=0.9, nesterov=True, decay=0.0005)


@dataclass(frozen=True)
class Network:
    """A network that both sides build from the same options: the builder here, its namesake in the peer."""

    title: str
    builder: Callable[..., Layer]
    size: int
    options: Mapping[str, Any] = field(default_factory=dict)
    classes: int = 10

    def build(self) -> Layer:
        """residua's."""
        return self.builder(**self.options, classes=self.classes)

    def multiply_adds(self) -> int:
        """Of one picture's forward pass."""
        return self.build().multiply_adds((self.size, self.size, 3))

    def parameters(self) -> int:
        """Trained numbers."""
        return count_parameters(self.build().init(ZeroGenerator()))


RESNET20 = Network("ResNet-20", small_resnet, 32, {"depth": 20})
RESNET56 = Network("ResNet-56", small_resnet, 32, {"depth": 56})
RESNET18_SMALL = Network("ResNet-18 at 32x32", large_resnet, 32, {"depth": 18, "stem": "small"})
RESNET18 = Network("ResNet-18 at 224x224", large_resnet, 224, {"depth": 18}, 1000)
RESNET50 = Network("ResNet-50 at 224x224", large_resnet, 224, {"depth": 50}, 1000)
VGG16 = Network("VGG16 at 64x64", vgg, 64, {"blocks": (2, 2, 3, 3, 3), "size": (64, 64)})
VGG16_LARGE = Network("VGG16 at 224x224", vgg, 224, {"blocks": (2, 2, 3, 3, 3), "size": (224, 224)}, 1000)
ALEXNET = Network(
    "AlexNet of one tower at 224x224",
    alexnet,
    224,
    {"towers": 1, "response_norm": False, "size": (224, 224)},
    1000,
)
SQUEEZENET = Network("SqueezeNet at 224x224", squeezenet, 224, {"rectified": True}, 1000)
TINY = Network("ResNet-8 of width 4", small_resnet, 8, {"depth": 8, "width": 4})


def random_batch(network: Network, count: int) -> tuple[Pictures, Labels]:
    """Normalised pictures (count, size, size, 3) float32 and labels (count,) of no meaning."""
    rng = np.random.default_rng(0)
    pictures = rng.standard_normal((count, network.size, network.size, 3), np.float32)
    return pictures, rng.integers(0, network.classes, count)


def train_step(
    engine: Engine,
    network: Network,
    pictures: Pictures,
    labels: Labels,
    variables: Tree | None = None,
    rate: float = OPTIONS.rate or 0.0,
) -> Workload:
    """The step that `residua train` takes, its look for numbers that are not finite included, on one batch.

    variables: where to start from, new ones unless given.
    """
    take = TrainStepper(engine, network.build(), OPTIONS, variables)
    return lambda: take(pictures, labels, rate)


def advance(
    step: Step, state: Tree, pictures: Pictures, labels: Labels, rate: float, *more: Any
) -> tuple[Tree, dict[str, Any]]:
    """One step, given what else it takes: the state behind it, and its results. Raises NonFiniteError."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        state, results = step(state, pictures, labels, None, rate, *more)
    if not results["finite"]:
        raise NonFiniteError("the benchmark's loss is not a finite number: the engine is broken")
    return state, results


class TrainStepper:
    """Steps one after the other, and what the training loop reads after each."""

    def __init__(
        self, engine: Engine, network: Layer, options: OptimizerOptions, variables: Tree | None = None
    ) -> None:
        self._step: Step = make_step(network, engine, options)
        # A step may write to what it is given: the caller's variables stay the caller's.
        start = network.init(np.random.default_rng(0)) if variables is None else variables
        start = transform(np.array, start)
        self._state = start_state(start, make_optimizer(options), options.average)
        self.loss_sum, self.correct, self.pictures = 0.0, 0, 0

    def __call__(self, pictures: Pictures, labels: Labels, rate: float) -> float:
        """One step; the mean loss so far. Raises NonFiniteError."""
        self._state, results = advance(self._step, self._state, pictures, labels, rate)
        self.pictures += len(labels)
        self.loss_sum += float(results["loss"]) * len(labels)
        self.correct += int(results["correct"])
        return self.loss_sum / self.pictures


def inference(engine: Engine, network: Network, pictures: Pictures) -> Workload:
    """The frozen network's answers, as `residua predict` computes them."""
    layers = network.build()
    trained = layers.init(np.random.default_rng(0))
    frozen, variables = layers.freeze(trained)
    variables = settled(variables, trained)
    compiled = engine.compile(lambda v, x: frozen.infer(engine, v, x))
    return lambda: compiled(variables, pictures)


@dataclass(frozen=True)
class Convolution:
    """One convolution of pictures with so many channels, and its gradients."""

    channels: int
    filters: int
    size: int
    kernel: int
    stride: int
    count: int
    fixed: bool = False

    @property
    def title(self) -> str:
        """What it is, in words."""
        kind = f"{self.kernel}x{self.kernel} convolution, stride {self.stride}"
        channels = f"{self.channels} to {self.filters} channels"
        fixed = ", fixed weights" if self.fixed else ""
        return f"{kind}, {channels} at {self.size}x{self.size}, batch {self.count}{fixed}"

    @property
    def padding(self) -> int:
        """Keeps the size where the stride is 1 and the kernel odd."""
        return (self.kernel - 1) // 2

    @property
    def out(self) -> int:
        """Height and width of what comes out."""
        return (self.size + 2 * self.padding - self.kernel) // self.stride + 1

    @property
    def want_dx(self) -> bool:
        """The gradient by pictures of 3 channels is nobody's need."""
        return self.channels != 3

    @property
    def flops(self) -> float:
        """Of the plain sum, forward and backward; Winograd's way needs fewer."""
        passes = 1 + self.want_dx + (not self.fixed)
        products = self.count * self.out**2 * self.kernel**2 * self.channels * self.filters
        return 2.0 * passes * products

    def arrays(self) -> tuple[Pictures, Pictures, Pictures]:
        """x, the weight (height, width, in, out) and dy."""
        rng = np.random.default_rng(0)
        x = rng.standard_normal((self.count, self.size, self.size, self.channels), np.float32)
        weight = rng.standard_normal((self.kernel, self.kernel, self.channels, self.filters), np.float32)
        dy = rng.standard_normal((self.count, self.out, self.out, self.filters), np.float32)
        return x, weight * np.float32((self.kernel**2 * self.channels) ** -0.5), dy


def convolution(engine: Engine, layer: Convolution, x: Pictures, weight: Pictures, dy: Pictures) -> Workload:
    """Forward and backward."""
    stride, padding = layer.stride, layer.padding
    bias = np.zeros(layer.filters, np.float32) if layer.fixed else None

    def work(x: Pictures, weight: Pictures, dy: Pictures) -> tuple[object, ...]:
        y, saved = engine.conv2d(x, weight, bias, stride=stride, padding=padding)
        dx, dweight, dbias = engine.conv2d_backward(dy, weight, saved, stride=stride, padding=padding)
        # What is not returned is not computed.
        return (y, *((dx,) if layer.want_dx else ()), dbias if layer.fixed else dweight)

    compiled = engine.compile(work)
    return lambda: compiled(x, weight, dy)
