"""Published data sets of arrays: opened by name, split as promised."""

from __future__ import annotations

import gzip
import pickle

import numpy as np
import pytest
from data_sets import DATA, SPLITS, needs, opened, small_mnist

from residua.data import Preprocessing, published_arrays
from residua.errors import ConfigError, DataError

pytestmark = pytest.mark.usefixtures("own_cache")


def test_digits():
    data = opened("digits")
    splits = {split: data.read(split) for split in SPLITS}
    assert [len(splits[split]) for split in SPLITS] == [1294, 144, 359]
    assert data.classes == tuple("0123456789")
    every = np.concatenate([pictures.images for pictures in splits.values()])
    assert every.shape == (1797, 8, 8, 1)
    assert (every.min(), every.max()) == (0, 255)
    assert len({name for pictures in splits.values() for name in pictures.names}) == 1797


def test_the_test_split_is_the_same_for_every_seed():
    one, other = opened("digits", 0), opened("digits", 1)
    assert one.fingerprint("test") == other.fingerprint("test")
    assert one.fingerprint("train") != other.fingerprint("train")
    assert opened("digits", 0).fingerprint("train") == one.fingerprint("train")


@pytest.mark.parametrize(
    ("validation", "sizes"),
    [(None, [90, 10, 30]), (20, [80, 20, 30]), (0.5, [50, 50, 30]), (0, [100, 0, 30])],
)
def test_validation_comes_out_of_the_training_split(tmp_path, validation, sizes):
    small_mnist(tmp_path / "mnist")
    data = opened("mnist", data_dir=str(tmp_path), validation=validation)
    splits = {split: data.read(split) for split in SPLITS}
    assert [len(splits[split]) for split in SPLITS] == sizes
    for split in ("train", "validation"):
        assert all(name.startswith("train[") for name in splits[split].names)
        assert len(set(data.counts(split).values())) == 1  # every class in proportion
        for image, label, name in zip(
            splits[split].images, splits[split].labels, splits[split].names, strict=True
        ):
            assert name == f"train[{image[0, 0, 0]}]"
            assert label == image[0, 0, 0] % 10
    assert splits["test"].names[29] == "t10k[29]"


def test_the_test_files_are_opened_only_for_the_test_split(tmp_path):
    small_mnist(tmp_path / "mnist")
    (tmp_path / "mnist" / "t10k-images-idx3-ubyte.gz").write_bytes(b"broken")
    data = opened("mnist", data_dir=str(tmp_path))
    Preprocessing.measure(data.read("train").images)
    data.read("validation"), data.counts(), data.fingerprint("train")
    with pytest.raises(DataError, match="t10k-images"):
        data.read("test")


def test_cifar_by_name(tmp_path):
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    random = np.random.default_rng(0)
    for name in [*(f"data_batch_{n}" for n in range(1, 6)), "test_batch"]:
        batch = {"data": random.integers(0, 256, (20, 3072), np.uint8), "labels": [k % 10 for k in range(20)]}
        (folder / name).write_bytes(pickle.dumps(batch, 2))
    data = opened("cifar10", data_dir=str(tmp_path), validation=0.1)
    assert [len(data.read(split)) for split in SPLITS] == [90, 10, 20]
    assert data.read("train").images.shape[1:] == (data.height, data.width, data.channels) == (32, 32, 3)
    with pytest.raises(ConfigError, match="hold out all 100"):
        opened("cifar10", data_dir=str(tmp_path)).read("train")  # 5000 is meant for the whole set


def test_a_held_split_is_not_read_again(tmp_path, monkeypatch):
    small_mnist(tmp_path / "mnist")
    data = opened("mnist", data_dir=str(tmp_path))
    train = data.read("train")
    monkeypatch.setattr(published_arrays, "read_idx_pair", None)
    assert data.read("train") is train
    assert data.counts()["3"] == 9
    data.fingerprint("train")


def test_fingerprints_see_pixels_labels_and_names(tmp_path):
    small_mnist(tmp_path / "a" / "mnist")
    small_mnist(tmp_path / "b" / "mnist")
    one, other = (opened("mnist", data_dir=str(tmp_path / name)) for name in "ab")
    assert one.fingerprint("test") == other.fingerprint("test")
    path = tmp_path / "b" / "mnist" / "t10k-labels-idx1-ubyte.gz"
    labels = bytearray(gzip.decompress(path.read_bytes()))
    labels[-1] ^= 1
    path.write_bytes(gzip.compress(labels))
    assert opened("mnist", data_dir=str(tmp_path / "b")).fingerprint("test") != one.fingerprint("test")


@needs("cifar-10-batches-py")
def test_the_real_cifar10():
    data = opened("cifar10", data_dir=str(DATA))
    train = data.read("train")
    assert set(data.counts().values()) == {4500}
    assert set(data.counts("validation").values()) == {500}
    meta = pickle.loads((DATA / "cifar-10-batches-py" / "batches.meta").read_bytes(), encoding="ascii")
    assert list(data.classes) == meta["label_names"]
    prep = Preprocessing.measure(train.images)
    assert np.allclose(prep.mean, (0.4914, 0.4822, 0.4465), atol=1e-3)
    assert np.allclose(prep.std, (0.2470, 0.2435, 0.2616), atol=1e-3)


@needs("notmnist")
def test_the_real_notmnist():
    data = opened("notmnist", data_dir=str(DATA))
    assert [len(data.read(split)) for split in SPLITS] == [7200, 800, 2000]
    assert set(data.counts("test").values()) == {200}
    thirds = opened("notmnist", data_dir=str(DATA), validation=0.375)  # 30 % of all
    assert [len(thirds.read(split)) for split in SPLITS] == [5000, 3000, 2000]


@needs("mnist")
def test_the_real_mnist():
    data = opened("mnist", data_dir=str(DATA))
    assert [len(data.read(split)) for split in SPLITS] == [54000, 6000, 10000]
