"""First weights that whiten: what comes out of them has no correlations."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from tiny import paint_folder

from residua import train
from residua.data.preprocessing import Preprocessing
from residua.engines import open_engine
from residua.files.tensors import read_tensors, write_tensors
from residua.layers import Conv2d, Flatten, Linear, Sequential
from residua.training.checkpoint import KIND, VERSION, checkpoints
from residua.training.progress import Quiet
from residua.training.whitening import LEAST, whiten, whitening_weights


def pictures(rng, channels=3):
    """Neighbours that are alike."""
    rough = rng.integers(0, 256, (64, 12, 12, channels))
    return ((rough[:, :-1] + rough[:, 1:]) // 2).astype(np.uint8)


def whitened(images):
    network = Sequential({"whiten": Conv2d(3, 24, 2, 1, 0, bias=True, fixed=True), "flatten": Flatten()})
    v = network.init(np.random.default_rng(0))
    return network, v, whiten(network, v, images, Preprocessing.measure(images))


def test_what_comes_out_is_uncorrelated_and_comes_with_both_signs(rng):
    images = pictures(rng)
    preprocessing = Preprocessing.measure(images)
    network, _, v = whitened(images)
    layer = network.layers["whiten"]
    y, _, _ = layer.forward(open_engine("numpy"), v["whiten"], preprocessing.normalize(images))
    rows = y.reshape(-1, 24).astype(np.float64)
    np.testing.assert_allclose(rows[:, :12], -rows[:, 12:], atol=1e-5)
    second = rows[:, :12].T @ rows[:, :12] / len(rows)
    np.testing.assert_allclose(second, np.diag(np.diag(second)), atol=1e-4)
    assert np.diag(second).max() <= 1
    assert np.diag(second).min() > 0.9  # but for LEAST, one
    assert LEAST < 1e-3


def test_the_rest_of_the_variables_and_other_networks_stay(rng):
    images = pictures(rng)
    _, before, after = whitened(images)
    assert after["whiten"]["bias"] is before["whiten"]["bias"]
    other = Sequential({"flatten": Flatten(), "head": Linear(396, 2)})
    v = other.init(rng)
    assert whiten(other, v, images, Preprocessing.measure(images)) is v
    trained = Sequential({"conv": Conv2d(3, 24, 2, 1, 0)})
    v = trained.init(rng)
    assert whiten(trained, v, images, Preprocessing.measure(images)) is v


def test_the_sign_of_an_eigenvector_is_settled(rng):
    weight = whitening_weights(rng.normal(size=(8, 6, 6, 1)).astype(np.float32), 2).reshape(4, 8)
    for column in weight[:, :4].T:
        assert column[np.abs(column).argmax()] > 0


def test_a_run_goes_on_after_its_first_layer_has_come_to_rest(tmp_path):
    """To the same bytes, though the layer's velocity is no longer used."""
    pictures = paint_folder(tmp_path / "pics", count=5)
    options = {"model": "airbench94", "width": 4, "size": 25, "batch": 5, "epochs": 3, "whitening_epochs": 1}
    options |= {"engine": "numpy", "final_test": False, "validation": 0.2, "rate": 0.01, "lookahead": False}
    whole, broken, older = (tmp_path / name for name in ("whole", "broken", "older"))
    train(pictures, run=whole, reporter=Quiet(), **options)

    class Stops(Quiet):
        def start_epoch(self, epoch, *rest):
            if epoch == 2:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(pictures, run=broken, reporter=Stops(), **options)
    shutil.copytree(broken, older)
    for path in checkpoints(older):  # as they were written before
        arrays, document = read_tensors(path, KIND, VERSION)
        del arrays["slots.velocity.whiten.bias"]
        write_tensors(path, KIND, VERSION, arrays, document)
    for run in (broken, older):
        train(resume=run, reporter=Quiet())
        assert (run / "last.safetensors").read_bytes() == (whole / "last.safetensors").read_bytes()
