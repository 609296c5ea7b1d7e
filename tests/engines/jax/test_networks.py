"""Whole networks on JAX: step after step as the reference, and published weights as published."""

from __future__ import annotations

import json
import shutil

import jax
import numpy as np
import pytest
from steps import doubled, fifty_steps_follow, losses_of_steps
from tiny import answered, paint_folder

from residua import train
from residua.engines import open_engine
from residua.layers import (
    GELU,
    BatchNorm2d,
    Conv2d,
    ConvNorm,
    Flatten,
    Linear,
    MaxPool2d,
    MultiplyConstant,
    Sequential,
)
from residua.models.architectures.small_resnet import small_resnet
from residua.training.progress import Quiet
from residua.training.run_folder import read_log
from residua.variables import flatten


def test_steps_follow_the_reference(rng):
    network = small_resnet(depth=8, classes=3, width=4)
    pictures, labels = rng.normal(size=(48, 8, 8, 3)).astype(np.float32), rng.integers(0, 3, 48)
    given = (network, pictures, labels, 12)
    exact = losses_of_steps(open_engine("numpy"), *given, dtype=np.float64, batch=16)
    mine = losses_of_steps(open_engine("jax"), *given, batch=16)
    assert np.abs(mine[:5] - exact[:5]).max() < 1e-5
    assert np.abs(mine - exact).max() < 1e-3


def speed_run(width):
    """Each kind of layer of the speed run's network, for pictures of 8x8."""
    norm = {"momentum": 0.4, "eps": 1e-12, "scale": False}
    return Sequential(
        {
            "whiten": Conv2d(3, 24, 2, 1, 0, bias=True, fixed=True),
            "gelu": GELU(),
            "conv1": Conv2d(24, width, identity=True),
            "pool": MaxPool2d(2),
            "norm1": BatchNorm2d(width, **norm),
            "gelu1": GELU(),
            "conv2": ConvNorm(Conv2d(width, width, identity=True), False, **norm),
            "pool2": MaxPool2d(3, 3, 0),
            "flatten": Flatten(),
            "head": Linear(width, 3, bias=False, gain=1 / 3),
            "scale": MultiplyConstant(1 / 9),
        }
    )


def test_gradients_of_the_speed_runs_layers_are_those_of_the_reference(rng):
    network = speed_run(6)
    v = doubled(network.init(rng))
    pictures, labels = rng.normal(size=(5, 8, 8, 3)), rng.integers(0, 3, 5)

    def gradients(engine):
        step = engine.compile(lambda v, x, y: network.loss(engine, v, x, y, smoothing=0.2))
        loss, outputs, grads, stats = step(v, pictures, labels)
        found = flatten({"grads": grads, "stats": stats, "outputs": outputs, "loss": loss})
        return {path: np.asarray(engine.plain(array)) for path, array in found.items()}

    exact = gradients(open_engine("numpy"))
    with jax.enable_x64(True):
        mine = gradients(open_engine("jax"))
    assert mine.keys() == exact.keys()
    for path, array in exact.items():
        assert mine[path].dtype == np.float64
        np.testing.assert_allclose(mine[path], array, rtol=1e-9, atol=1e-9, err_msg=path)


@pytest.mark.exhaustive
def test_the_speed_runs_recipe_follows_the_reference(tmp_path):
    """Its options and its kinds of layers, in few channels, for some steps."""
    pictures = paint_folder(tmp_path / "pics", count=20)
    options = {"model": "airbench94", "width": 4, "size": 25, "batch": 8, "epochs": 2, "rate": 0.05}
    options |= {"nesterov": True, "momentum": 0.85, "decay": 0.01, "decoupled": True, "smoothing": 0.2}
    options |= {"bias_rate": 64.0, "whitening_epochs": 1, "schedule": "triangle", "lookahead": True}
    options |= {"border": "reflect", "crop": 2, "alternate_flip": True, "final_test": False}
    logs = []
    for engine in ("numpy", "jax"):
        train(str(pictures), run=str(tmp_path / engine), engine=engine, reporter=Quiet(), **options)
        logs.append(read_log(tmp_path / engine))
    for exact, mine in zip(*logs, strict=True):
        assert mine["train_loss"] == pytest.approx(exact["train_loss"], abs=1e-4)
        assert mine["validation_loss"] == pytest.approx(exact["validation_loss"], abs=1e-3)


@pytest.mark.exhaustive
def test_fifty_steps_on_cifar_follow_the_reference(cifar_batch):
    pictures, labels = cifar_batch[0] / np.float32(255) - np.float32(0.5), cifar_batch[1]
    fifty_steps_follow(open_engine("jax"), small_resnet(depth=8), pictures, labels)


@pytest.mark.exhaustive
def test_published_weights_answer_exactly_as_published(data_dir, tmp_path, capsys):
    """All 10,000 test pictures of CIFAR-10, through the program: import, then evaluate."""
    weights = data_dir / "weights" / "cifar10-resnets" / "resnet20-12fca82f.th"
    if not weights.exists() or not (data_dir / "cifar-10-batches-py" / "test_batch").exists():
        pytest.skip("needs CIFAR-10 and the published ResNet-20 in RESIDUA_DATA")
    answered(capsys, "import", shutil.copy(weights, tmp_path / "w.th"), "--classes", "cifar10")
    command = ["evaluate", tmp_path / "w.model.safetensors", "--json", "--engine", "jax"]
    found = json.loads(answered(capsys, *command, "--data-dir", data_dir))
    assert (found["pictures"], found["correct"]) == (10_000, 9173)
