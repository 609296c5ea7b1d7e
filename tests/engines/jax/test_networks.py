"""Whole networks on JAX: step after step as the reference, and published weights as published."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from steps import fifty_steps_follow, losses_of_steps
from tiny import answered

from residua.engines import open_engine
from residua.models.architectures.small_resnet import small_resnet


def test_steps_follow_the_reference(rng):
    network = small_resnet(depth=8, classes=3, width=4)
    pictures, labels = rng.normal(size=(48, 8, 8, 3)).astype(np.float32), rng.integers(0, 3, 48)
    given = (network, pictures, labels, 12)
    exact = losses_of_steps(open_engine("numpy"), *given, dtype=np.float64, batch=16)
    mine = losses_of_steps(open_engine("jax"), *given, batch=16)
    assert np.abs(mine[:5] - exact[:5]).max() < 1e-5
    assert np.abs(mine - exact).max() < 1e-3


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
