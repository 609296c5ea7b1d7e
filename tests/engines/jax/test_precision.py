"""TF32 and bfloat16: products alone are rounded, and only on this engine."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pytest
from tiny import TINY, call, paint_folder

from residua import train
from residua.config import OptimizerOptions
from residua.engines import open_engine
from residua.models.architectures.small_resnet import small_resnet
from residua.testing.arrays import host_tree
from residua.training.optimizers import make_optimizer
from residua.training.progress import Quiet
from residua.training.run_folder import read_log, read_run
from residua.training.step import make_step, start_state


def one_step(precision, rng):
    engine, options = open_engine("jax", precision=precision), OptimizerOptions(rate=0.1)
    network = small_resnet(depth=8, classes=5, width=4)
    state = start_state(network.init(np.random.default_rng(0)), make_optimizer(options), 0.0)
    images, labels = rng.normal(size=(6, 8, 8, 3)).astype(np.float32), np.arange(6) % 5
    after, results = make_step(network, engine, options)(state, images, labels, None, 0.1)
    return host_tree(engine, after["variables"]), {name: np.asarray(x) for name, x in results.items()}


def test_in_bfloat16_products_are_rounded_and_all_that_is_kept_is_float32():
    exact, exact_results = one_step("float32", np.random.default_rng(1))
    found, results = one_step("bfloat16", np.random.default_rng(1))
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}
    assert results["loss"].dtype == results["norm"].dtype == np.float32
    gap = abs(results["loss"] - exact_results["loss"])
    assert 1e-6 < gap < 3e-2
    for path, array in found.items():
        assert np.abs(array - exact[path]).max() < 0.1, path


def test_between_layers_pictures_are_bfloat16_and_features_are_not():
    engine = open_engine("jax", precision="bfloat16")
    x, kernel = np.ones((2, 4, 4, 3), np.float32), np.ones((3, 3, 3, 4), np.float32)
    scale = np.ones(4, np.float32)
    y, mean, _, saved = engine.conv_norm(x, kernel, scale, scale, stride=1, padding=1, eps=1e-5, relu=True)
    dx, dkernel, dscale, _ = engine.conv_norm_backward(
        y, kernel, scale, saved, stride=1, padding=1, relu=True
    )
    assert (y.dtype, dx.dtype) == (jnp.bfloat16, jnp.bfloat16)
    assert {a.dtype for a in (mean, dkernel, dscale)} == {np.dtype(np.float32)}
    features, kept = engine.global_average_pool(y)
    assert features.dtype == np.float32
    assert engine.global_average_pool_backward(features, kept).dtype == jnp.bfloat16
    assert engine.linear(features, np.ones((4, 2), np.float32), None)[0].dtype == np.float32
    assert engine.softmax(y[:, 0, 0]).dtype == np.float32


@pytest.mark.exhaustive
def test_a_run_remembers_its_precision(tmp_path):
    pictures = str(paint_folder(tmp_path / "pics"))
    options = TINY | {"epochs": 1, "final_test": False, "engine": "jax", "precision": "tf32"}
    train(pictures, run=str(tmp_path / "run"), reporter=Quiet(), **options)
    assert read_run(tmp_path / "run").run.precision == "tf32"
    assert np.isfinite(read_log(tmp_path / "run")[0]["train_loss"])


@pytest.mark.parametrize("engine", ["auto", "numpy"])
def test_other_engines_refuse_other_precisions(capsys, tmp_path, engine):
    run = tmp_path / "run"
    command = ["train", "digits", "--precision", "bfloat16", "--engine", engine, "--run", run]
    code, _, err = call(capsys, *command)
    assert code == 2
    assert (
        err.strip().splitlines()[-1].endswith("computes in float32: --precision bfloat16 needs --engine jax")
    )
    assert not run.exists()
