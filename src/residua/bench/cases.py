"""What is measured: every case of `residua bench`, and what each is to reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from residua.bench import (
    capsules,
    data_loading,
    denormals,
    inference_cases,
    networks,
    processes,
    ranks,
    scaling,
    speed_run,
)
from residua.bench.harness import Harness, Modes, time_both_sides
from residua.bench.networks import Convolution, Network, random_batch
from residua.bench.pipelines import measure as pipeline
from residua.bench.pipelines import waiting
from residua.bench.results import Goal, Result
from residua.bench.timing import Workload
from residua.layers import Layer
from residua.models.architectures.capsnet import capsnet


def _train_flops(network: Network, count: int) -> float:
    """Forward, and backward by inputs and weights."""
    return 6.0 * count * network.multiply_adds()


def _bare_modes(harness: Harness, network: Network, count: int) -> Modes:
    batch = random_batch(network, count)
    return harness.modes(lambda peer, layout: peer.train_step(network, *batch, layout))


def loaded(harness: Harness, case: str, network: Network, count: int, goal: Goal | None) -> Result:
    """Training with loader and augmentation against PyTorch's bare step."""
    if network.size == data_loading.CARD.height:
        pictures, what = data_loading.training_pictures(count)
    else:
        pictures, what = data_loading.random_pictures(8 * count, network.size), "random pictures"
    return time_both_sides(
        harness,
        case,
        f"{network.title} train step, batch {count}, with loader and augmentation of {what}",
        _train_flops(network, count),
        data_loading.train_step(harness.engine, network, pictures, count),
        _bare_modes(harness, network, count),
        goal,
    )


def bare(harness: Harness, case: str, network: Network, count: int, goal: Goal | None) -> Result:
    """A train step on one batch that lies ready, on both sides."""
    return time_both_sides(
        harness,
        case,
        f"{network.title} train step, batch {count}",
        _train_flops(network, count),
        networks.train_step(harness.engine, network, *random_batch(network, count)),
        _bare_modes(harness, network, count),
        goal,
    )


def inference(harness: Harness, case: str, network: Network, count: int, goal: Goal | None) -> Result:
    """The answers for one batch."""
    pictures, _ = random_batch(network, count)

    return time_both_sides(
        harness,
        case,
        f"{network.title} inference, {f'batch {count}' if count > 1 else 'one picture'}",
        2.0 * count * network.multiply_adds(),
        networks.inference(harness.engine, network, pictures),
        harness.modes(lambda peer, layout: peer.inference(network, pictures, layout)),
        goal,
    )


LAYERS = (
    Convolution(3, 16, 32, 3, 1, 128),
    Convolution(16, 32, 32, 3, 2, 128),
    Convolution(32, 64, 16, 3, 2, 128),
    Convolution(64, 64, 8, 1, 1, 128),
    Convolution(16, 32, 32, 1, 2, 128),
    Convolution(64, 256, 56, 1, 1, 8),
    Convolution(3, 64, 224, 7, 2, 8),
    Convolution(64, 64, 56, 3, 1, 8),
    Convolution(128, 128, 16, 3, 1, 64),
    Convolution(256, 256, 8, 3, 1, 64),
    Convolution(128, 256, 8, 3, 2, 64),
    Convolution(512, 512, 4, 3, 1, 64),
    Convolution(256, 1024, 14, 1, 1, 8),
    Convolution(64, 192, 27, 5, 1, 8),
    Convolution(64, 64, 16, 2, 1, 128),
)


# airbench94's (Jordan 2024, arXiv 2404.00498), in order; the published batch is 1,024.
FAST_CIFAR = tuple(
    Convolution(*sizes, 1, count, fixed=sizes[0] == 3)
    for count in (128, 1024)
    for sizes in ((3, 24, 32, 2), (24, 64, 31, 3), (64, 64, 15, 3), (64, 256, 15, 3), (256, 256, 7, 3))
)


def recipe(harness: Harness, network: Network, count: int) -> Result:
    """A step of the speed run with everything that belongs to it, loader and augmentation on both sides."""
    split, what = data_loading.training_pictures(count)
    layers = network.build()
    variables = speed_run.first_variables(layers, split.images)

    def theirs(peer: Any, layout: str) -> Workload:
        step: Workload = peer.speed_run_step(split.images, split.labels, variables, layout, count)
        return step

    return time_both_sides(
        harness,
        "speed-run",
        f"{network.title} train step of the recipe for 94 %, batch {count:,}, with augmentation of {what}",
        _train_flops(network, count),
        speed_run.train_step(harness.engine, layers, variables, split, count),
        harness.modes(theirs),
        Goal(">=", 2.3),
    )


def capsule_step(harness: Harness, network: Layer, count: int) -> Result:
    """A step of CapsNet: both sides begin with the same variables."""
    pictures, labels = capsules.random_digits(count)
    variables = network.init(np.random.default_rng(0))
    return time_both_sides(
        harness,
        "capsules",
        f"CapsNet train step, batch {count}",
        6.0 * count * network.multiply_adds(capsules.SHAPE),
        capsules.train_step(harness.engine, network, variables, pictures, labels),
        harness.modes(lambda peer, layout: peer.capsules_step(variables, pictures, labels, layout)),
        Goal(">=", 2.5),
    )


def convolution(harness: Harness, layer: Convolution, case: str = "layers") -> Result:
    """One convolution forward and backward."""
    x, weight, dy = layer.arrays()

    return time_both_sides(
        harness,
        case,
        f"{layer.title}, forward and backward",
        layer.flops,
        networks.convolution(harness.engine, layer, x, weight, dy),
        harness.modes(lambda peer, layout: peer.convolution(layer, x, weight, dy, layout)),
        _goal_of(case, layer),
    )


def _goal_of(case: str, layer: Convolution) -> Goal | None:
    """What one convolution is to reach beside PyTorch; None where the goals of whole networks cover it."""
    if layer.kernel == 1 and layer.channels * layer.filters >= 2**18:
        # A plain product of matrices, at which both sides come near the processor's limit.
        return Goal(">=", 1.05)
    # The layers that networks are not mostly made of, where PyTorch's libraries are at their best.
    if layer.kernel in (1, 2, 5) or layer.stride == 2 or layer.channels == 3:
        return Goal(">=", 1.2)
    return Goal(">=", 2.5) if case == "fast-cifar" else None


def _main(harness: Harness) -> Iterator[Result]:
    goal = Goal(">=", 2.7 if harness.threads == 1 else 3.0)
    yield loaded(harness, "main", networks.RESNET20, 128, goal)


def _bare(harness: Harness) -> Iterator[Result]:
    yield bare(harness, "bare", networks.RESNET20, 128, None)


def _deep(harness: Harness) -> Iterator[Result]:
    yield bare(harness, "deep", networks.RESNET56, 128, Goal(">=", 3.0))


def _batches(harness: Harness) -> Iterator[Result]:
    for count in (32, 100, 127):
        yield bare(harness, "batches", networks.RESNET20, count, Goal(">=", 2.5))


def _layers(harness: Harness) -> Iterator[Result]:
    for layer in LAYERS:
        yield convolution(harness, layer)


def _fast_cifar(harness: Harness) -> Iterator[Result]:
    for layer in FAST_CIFAR:
        yield convolution(harness, layer, "fast-cifar")


def _speed_run(harness: Harness) -> Iterator[Result]:
    yield recipe(harness, speed_run.NETWORK, speed_run.BATCH)


def _capsules(harness: Harness) -> Iterator[Result]:
    yield capsule_step(harness, capsnet(), capsules.BATCH)


def _big(harness: Harness) -> Iterator[Result]:
    for network, count in ((networks.RESNET18_SMALL, 64), (networks.RESNET18, 8), (networks.VGG16, 32)):
        yield bare(harness, "big", network, count, Goal(">=", 1.5))
    yield bare(harness, "big", networks.RESNET50, 8, Goal(">=", 1.2))
    yield inference(harness, "big", networks.RESNET50, 8, Goal(">=", 1.2))


def _smoke(harness: Harness) -> Iterator[Result]:
    yield loaded(harness, "smoke", networks.TINY, 8, None)
    yield inference(harness, "smoke", networks.TINY, 1, None)


MEASURES: dict[str, Callable[[Harness], Iterator[Result]]] = {
    "main": _main,
    "bare": _bare,
    "deep": _deep,
    "batches": _batches,
    "inference": inference_cases.measure,
    "layers": _layers,
    "fast-cifar": _fast_cifar,
    "speed-run": _speed_run,
    "capsules": _capsules,
    "big": _big,
    "denormals": denormals.measure,
    "scaling": scaling.measure,
    "ranks": ranks.measure,
    "memory": processes.measure_memory,
    "startup": processes.measure_startup,
    "pipeline": pipeline.measure,
    "waiting": waiting.measure,
    "smoke": _smoke,
}
