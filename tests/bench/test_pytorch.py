"""Both sides do the same work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bench_harness import SMALL

from residua.bench import (
    networks,
)
from residua.bench.cases import LAYERS
from residua.bench.networks import RESNET18, RESNET18_SMALL, RESNET20, RESNET50, TINY, VGG16, Convolution
from residua.engines.numpy.engine import NumpyEngine
from residua.layers.parameters import ZeroGenerator
from residua.variables import count_parameters, flatten


def shrunk(network, **options):
    """The network with few channels."""
    return replace(network, options={**network.options, **options})


@pytest.mark.parametrize(
    "network",
    [
        RESNET20,
        shrunk(RESNET18_SMALL, width=8),
        replace(shrunk(RESNET18, width=8), size=64),
        replace(shrunk(RESNET50, width=8), size=64),
        # One pixel is left before the matrices, whose rows lie in another order otherwise.
        replace(shrunk(VGG16, width=8, hidden=(32, 16), size=(32, 32)), size=32),
    ],
    ids=lambda network: network.title,
)
def test_the_peer_builds_the_same_networks(engine, peer, network):
    import torch

    from residua.bench.pytorch_networks import BUILDERS, load

    layers = network.build()
    variables = layers.init(np.random.default_rng(1))
    theirs = BUILDERS[network.builder.__name__](**network.options, classes=network.classes)
    load(theirs, variables).eval()
    pictures, _ = networks.random_batch(network, 2)
    frozen, frozen_variables = layers.freeze(variables)
    ours = frozen.infer(engine, frozen_variables, pictures)
    with torch.inference_mode():
        wanted = theirs(torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy())).numpy()
    assert ours.shape == (2, network.classes)
    assert np.abs(ours - wanted).max() < 1e-4 * np.abs(wanted).max()


@pytest.mark.parametrize("network", [RESNET18_SMALL, RESNET18, RESNET50, VGG16], ids=lambda n: n.title)
def test_the_peer_has_as_many_parameters(peer, network):
    import torch

    from residua.bench.pytorch_networks import BUILDERS

    with torch.device("meta"):
        theirs = BUILDERS[network.builder.__name__](**network.options, classes=network.classes)
    ours = network.build().init(ZeroGenerator())
    assert sum(parameter.numel() for parameter in theirs.parameters()) == count_parameters(ours)


def test_both_sides_take_the_same_steps(peer):
    variables = TINY.build().init(np.random.default_rng(2))
    pictures, labels = networks.random_batch(TINY, 8)
    take = networks.TrainStepper(NumpyEngine(1), TINY.build(), networks.OPTIONS, variables)
    for layout in peer.LAYOUTS:
        theirs = peer.train_step(TINY, pictures, labels, layout, variables, rate=0.05)
        wanted = [theirs() for _ in range(5)]
        if not take.pictures:
            sums = np.cumsum([0, *wanted])
            for number in range(1, 6):
                assert take(pictures, labels, 0.05) == pytest.approx(sums[number] / number, rel=1e-4)
            assert wanted[-1] != pytest.approx(wanted[0], rel=1e-2)
        else:
            assert wanted[0] == pytest.approx(sums[1], rel=1e-4)


def test_steps_leave_the_callers_variables_alone():
    variables = TINY.build().init(np.random.default_rng(2))
    before = {name: array.copy() for name, array in flatten(variables).items()}
    networks.train_step(NumpyEngine(1), TINY, *networks.random_batch(TINY, 4), variables, 0.1)()
    assert all(np.array_equal(before[name], array) for name, array in flatten(variables).items())


def test_both_sides_convolve_alike(engine, peer):
    x, weight, dy = SMALL.arrays()
    y, _, _ = networks.convolution(engine, SMALL, x, weight, dy)()
    for layout in peer.LAYOUTS:
        wanted = peer.convolution(SMALL, x, weight, dy, layout)()
        np.testing.assert_allclose(y, wanted.detach().numpy().transpose(0, 2, 3, 1), atol=1e-5)


def test_pictures_of_three_channels_get_no_gradient(engine):
    stem = Convolution(3, 4, 8, 7, 2, 2)
    assert len(networks.convolution(engine, stem, *stem.arrays())()) == 2
    assert stem.flops == 2 * 2 * 2 * 4 * 4 * 49 * 3 * 4
    assert {layer.out for layer in LAYERS} == {4, 8, 14, 15, 16, 27, 32, 56, 112}


def test_the_peer_is_told_its_threads(peer):
    import torch

    assert peer.with_threads(2, torch.get_num_threads)() == 2
    assert peer.with_threads(1, torch.get_num_threads)() == 1
