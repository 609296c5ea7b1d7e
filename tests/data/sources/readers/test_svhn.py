"""SVHN is read exactly, and what is broken is named."""

from __future__ import annotations

import numpy as np
import published
import pytest
from data_sets import SPLITS, opened
from scipy.io import savemat

from residua.data.sources.readers.svhn import read_svhn
from residua.errors import ConfigError, DataError

pytestmark = pytest.mark.usefixtures("quiet_cache")


@pytest.mark.parametrize("compressed", [True, False])
def test_svhn_s_label_ten_is_the_digit_zero(tmp_path, compressed):
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3, 12), np.uint8)
    labels = np.array([1, 9, 10, 2, 3, 4, 5, 6, 7, 8, 10, 1], np.uint8)
    path = tmp_path / "train_32x32.mat"
    savemat(path, {"X": pixels, "y": labels[:, None]}, do_compression=compressed)
    got = read_svhn(path)
    assert got.labels.tolist() == [1, 9, 0, 2, 3, 4, 5, 6, 7, 8, 0, 1]
    assert got.labels.dtype == np.int64
    assert got.images.shape == (12, 32, 32, 3)
    assert got.images.flags.c_contiguous
    for number in range(12):
        assert np.array_equal(got.images[number], pixels[..., number])
    assert got.names[3] == "train[3]"


def test_svhn_with_one_picture_and_labels_of_another_type(tmp_path):
    path = tmp_path / "test_32x32.mat"
    savemat(path, {"X": np.zeros((32, 32, 3, 1), np.uint8), "y": np.array([[10.0]])})
    got = read_svhn(path)
    assert got.images.shape == (1, 32, 32, 3)
    assert got.labels.tolist() == [0]


def test_svhn_by_name_and_by_path(tmp_path):
    folder = published.svhn(tmp_path / "svhn")
    for data in (opened("svhn", data_dir=str(tmp_path)), opened(folder), opened(folder, size=32)):
        assert [len(data.read(split)) for split in SPLITS] == [50, 10, 20]
        for split in SPLITS:
            pictures = data.read(split)
            assert np.array_equal(pictures.images[:, 0, 0, 0], pictures.labels)
        assert data.classes == tuple("0123456789")
    assert opened("svhn", data_dir=str(tmp_path)).fingerprint("train") == opened(folder).fingerprint("train")
    with pytest.raises(ConfigError, match="has its own, 32x32"):
        opened(folder, size=64)


X = np.zeros((32, 32, 3, 2), np.uint8)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"Y": X}, "holds no pictures X"),
        ({"X": X.astype(float), "y": [1, 2]}, "holds no pictures X"),
        ({"X": X[:31], "y": [1, 2]}, "holds no pictures X"),
        ({"X": X, "y": [1, 2, 3]}, "no label y for each of its 2"),
        ({"X": X}, "no label y for each"),
        ({"X": X, "y": ["a", "b"]}, "no label y for each"),
        ({"X": X, "y": [1, 11]}, "picture 1 the label 11; the labels are 1 to 10"),
        ({"X": X, "y": [0, 1]}, "picture 0 the label 0"),
    ],
)
def test_broken_svhn(tmp_path, content, reason):
    path = tmp_path / "train_32x32.mat"
    savemat(path, content)
    with pytest.raises(DataError, match=reason) as caught:
        read_svhn(path)
    assert str(path) in str(caught.value)
