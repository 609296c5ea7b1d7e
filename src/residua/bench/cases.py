"""What is measured: every case of `residua bench`, and what each is to reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from residua.bench import denormals, loader, networks, processes, scaling
from residua.bench.networks import Convolution, Network, random_batch
from residua.bench.results import Goal, Result
from residua.bench.setup import Modes, Setup, race


def _train_flops(network: Network, count: int) -> float:
    """Forward, and backward by inputs and weights."""
    return 6.0 * count * network.multiply_adds()


def _bare_modes(setup: Setup, network: Network, count: int) -> Modes:
    batch = random_batch(network, count)
    return setup.modes(lambda peer, layout: peer.train_step(network, *batch, layout))


def loaded(setup: Setup, case: str, network: Network, count: int, goal: Goal | None) -> Result:
    """Training with loader and augmentation against PyTorch's bare step."""
    if network.size == loader.CARD.height:
        pictures, what = loader.training_pictures(count)
    else:
        pictures, what = loader.random_pictures(8 * count, network.size), "random pictures"
    return race(
        setup,
        case,
        f"{network.title} train step, batch {count}, with loader and augmentation of {what}",
        _train_flops(network, count),
        loader.train_step(setup.engine, network, pictures, count),
        _bare_modes(setup, network, count),
        goal,
    )


def bare(setup: Setup, case: str, network: Network, count: int, goal: Goal | None) -> Result:
    """A train step on one batch that lies ready, on both sides."""
    return race(
        setup,
        case,
        f"{network.title} train step, batch {count}",
        _train_flops(network, count),
        networks.train_step(setup.engine, network, *random_batch(network, count)),
        _bare_modes(setup, network, count),
        goal,
    )


def inference(setup: Setup, case: str, network: Network, count: int, goal: Goal | None) -> Result:
    """The answers for one batch."""
    pictures, _ = random_batch(network, count)

    return race(
        setup,
        case,
        f"{network.title} inference, {f'batch {count}' if count > 1 else 'one picture'}",
        2.0 * count * network.multiply_adds(),
        networks.inference(setup.engine, network, pictures),
        setup.modes(lambda peer, layout: peer.inference(network, pictures, layout)),
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
)


def convolution(setup: Setup, layer: Convolution) -> Result:
    """One convolution forward and backward."""
    x, weight, dy = layer.arrays()

    # The layers that networks are not mostly made of, where PyTorch's libraries are at their best.
    light = layer.channels * layer.filters < 2**18
    rare = (layer.kernel == 1 and light) or layer.stride == 2 or layer.channels == 3
    return race(
        setup,
        "layers",
        f"{layer.title}, forward and backward",
        layer.flops,
        networks.convolution(setup.engine, layer, x, weight, dy),
        setup.modes(lambda peer, layout: peer.convolution(layer, x, weight, dy, layout)),
        Goal(">=", 1.2) if rare else None,
    )


def _main(setup: Setup) -> Iterator[Result]:
    goal = Goal(">=", 2.7 if setup.threads == 1 else 3.0)
    yield loaded(setup, "main", networks.RESNET20, 128, goal)


def _bare(setup: Setup) -> Iterator[Result]:
    yield bare(setup, "bare", networks.RESNET20, 128, None)


def _deep(setup: Setup) -> Iterator[Result]:
    yield bare(setup, "deep", networks.RESNET56, 128, Goal(">=", 3.0))


def _batches(setup: Setup) -> Iterator[Result]:
    for count in (32, 100, 127):
        yield bare(setup, "batches", networks.RESNET20, count, Goal(">=", 2.5))


def _inference(setup: Setup) -> Iterator[Result]:
    yield inference(setup, "inference", networks.RESNET20, 128, Goal(">=", 2.5))
    yield inference(setup, "inference", networks.RESNET20, 1, Goal(">=", 2.0))


def _layers(setup: Setup) -> Iterator[Result]:
    for layer in LAYERS:
        yield convolution(setup, layer)


def _big(setup: Setup) -> Iterator[Result]:
    for network, count in ((networks.RESNET18_SMALL, 64), (networks.RESNET18, 8), (networks.VGG16, 32)):
        yield bare(setup, "big", network, count, Goal(">=", 1.5))
    yield bare(setup, "big", networks.RESNET50, 8, Goal(">=", 1.2))
    yield inference(setup, "big", networks.RESNET50, 8, Goal(">=", 1.2))


def _smoke(setup: Setup) -> Iterator[Result]:
    yield loaded(setup, "smoke", networks.TINY, 8, None)
    yield inference(setup, "smoke", networks.TINY, 1, None)


MEASURES: dict[str, Callable[[Setup], Iterator[Result]]] = {
    "main": _main,
    "bare": _bare,
    "deep": _deep,
    "batches": _batches,
    "inference": _inference,
    "layers": _layers,
    "big": _big,
    "denormals": denormals.measure,
    "scaling": scaling.measure,
    "memory": processes.measure_memory,
    "startup": processes.measure_startup,
    "smoke": _smoke,
}
