"""From pixels to numbers: measured exactly, kept without loss, the same in any company."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pixels import random_pixels

from residua.data import preprocessing as module
from residua.data.preprocessing import Preprocessing
from residua.errors import DataError, ShapeError


@pytest.mark.parametrize("chunk", [1, 100, 1 << 24])
@pytest.mark.parametrize("channels", [1, 3])
def test_measure_is_exact_and_chunks_do_not_matter(chunk, channels, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK_PIXELS", chunk)
    images = random_pixels(20, c=channels)
    got = Preprocessing.measure(images)
    values = images.reshape(-1, channels) / 255
    assert np.allclose(got.mean, values.mean(0), rtol=1e-13)
    assert np.allclose(got.std, values.std(0), rtol=1e-12)
    assert got == Preprocessing.measure(images[::-1])


def test_normalized_training_data_has_zero_mean_and_unit_deviation():
    images = random_pixels(200)
    normal = Preprocessing.measure(images).normalize(images)
    assert normal.dtype == np.float32
    assert normal.flags.c_contiguous
    assert np.allclose(normal.mean((0, 1, 2)), 0, atol=1e-5)
    assert np.allclose(normal.std((0, 1, 2)), 1, atol=1e-5)


def test_a_constant_channel_becomes_zero():
    images = np.full((3, 4, 4, 1), 200, np.uint8)
    normal = Preprocessing.measure(images).normalize(images)
    assert np.allclose(normal, 0, atol=1e-4)


def test_a_picture_does_not_depend_on_its_batch_or_layout():
    images = random_pixels(7)
    prep = Preprocessing.measure(images)
    whole = prep.normalize(images)
    assert np.array_equal(prep.normalize(images[3:4])[0], whole[3])
    assert np.array_equal(prep.normalize(np.asfortranarray(images)), whole)
    images.setflags(write=False)
    assert np.array_equal(prep.normalize(images), whole)


def test_kept_in_json_without_loss():
    prep = Preprocessing.measure(random_pixels())
    assert Preprocessing.from_dict(json.loads(json.dumps(prep.to_dict()))) == prep


@pytest.mark.parametrize(
    "change", [{"mean": [1]}, {"std": [0, 1, 1]}, {"height": 0}, {"mean": None}, {"std": [float("nan")] * 3}]
)
def test_malformed_preprocessing_is_refused(change):
    with pytest.raises(ShapeError):
        Preprocessing.from_dict({**Preprocessing.measure(random_pixels()).to_dict(), **change})


def test_wrong_pictures_are_refused_in_one_line():
    prep = Preprocessing.measure(random_pixels())
    for wrong in (
        random_pixels(h=5),
        random_pixels(c=1),
        random_pixels()[0],
        random_pixels().astype(np.float32),
    ):
        with pytest.raises(ShapeError, match="Pictures must be"):
            prep.normalize(wrong)
    with pytest.raises(DataError, match="no training pictures"):
        Preprocessing.measure(random_pixels(0))
