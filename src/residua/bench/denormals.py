"""Denormal numbers, which processors may take a hundred times as long for, against ordinary ones.

A float32 below 1.2e-38 is denormal: fewer digits, and on many processors microcode instead of one
instruction. They come up where a network has died in part or where decay has worn weights away. Each side
is held against itself: the work with denormals over the same work without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from residua.bench import networks
from residua.bench.harness import Harness, compare_conditions
from residua.bench.networks import Convolution, Network, random_batch
from residua.bench.results import OURS, THEIRS, Goal, Result
from residua.bench.timing import Workload, choose_fastest
from residua.variables import Tree, fill, flatten

TINY = np.float32(1e-40)  # denormal times any number near one
ORDINARY, DENORMAL = "ordinary", "denormals"
EPS = 1e-5  # of batch normalisation
GRADIENTS = np.float32(1e-35)  # weights of the last layer that bring the gradients below it to about 1e-40

LAYER = Convolution(32, 32, 16, 3, 1, 128)


def worn(network: Network) -> Tree:
    """Variables with which denormal pictures stay denormal through the whole network, gradients too.

    A convolution of numbers near 1e-40 gives such numbers. Their variance is nothing, so normalisation
    divides by sqrt(eps); a scale of sqrt(eps) takes that back. Weights that read every other channel are
    denormal themselves (all of them would leave nothing but zeros), and so small a last layer hands
    denormal gradients down.
    """
    fresh = network.build().init(np.random.default_rng(0))
    arrays = flatten(fresh)
    for name, array in arrays.items():
        if array.ndim == 4:
            array = array.copy()
            array[:, :, ::2] *= TINY
        elif name == "head.weight":
            array = array * GRADIENTS
        elif name.endswith("norm.weight"):
            array = array * np.float32(EPS**0.5)
        arrays[name] = array
    return fill(fresh, arrays, network.title)


def measure(harness: Harness, network: Network = networks.RESNET20, count: int = 128) -> Iterator[Result]:
    """A train step, and a convolution with denormal pictures and gradients or with denormal weights."""
    pictures, labels = random_batch(network, count)
    # A rate of zero: the weights stay as they are, step after step.
    yield from _compare(
        harness,
        f"{network.title} train step, batch {count}",
        (pictures, network.build().init(np.random.default_rng(0))),
        (pictures * TINY, worn(network)),
        lambda x, v: networks.train_step(harness.engine, network, x, labels, v, 0.0),
        lambda peer, layout, x, v: peer.train_step(network, x, labels, layout, v, 0.0),
    )
    x, weight, dy = LAYER.arrays()
    for what, denormal in (
        ("pictures and gradients", (x * TINY, weight, dy * TINY)),
        ("weights", (x, weight * TINY, dy)),
    ):
        yield from _compare(
            harness,
            f"{LAYER.title}, forward and backward, {what}",
            (x, weight, dy),
            denormal,
            lambda *arrays: networks.convolution(harness.engine, LAYER, *arrays),
            lambda peer, layout, *arrays: peer.convolution(LAYER, *arrays, layout),
        )


def _compare(
    harness: Harness,
    work: str,
    ordinary: tuple[Any, ...],
    denormal: tuple[Any, ...],
    ours: Callable[..., Workload],
    theirs: Callable[..., Workload],
) -> Iterator[Result]:
    """PyTorch in the layout that is faster with ordinary numbers."""
    workloads = {(OURS, ORDINARY): ours(*ordinary), (OURS, DENORMAL): ours(*denormal)}
    mode = ""
    if harness.peer is not None:
        modes = harness.modes(lambda peer, layout: theirs(peer, layout, *ordinary))
        mode, workloads[THEIRS, ORDINARY] = choose_fastest(modes, harness.limits)
        workloads[THEIRS, DENORMAL] = theirs(harness.peer, mode, *denormal)
    over = (DENORMAL, ORDINARY)
    yield from compare_conditions(harness, "denormals", work, workloads, over, Goal("<", 1.2), mode)
