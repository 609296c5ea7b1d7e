"""CIFAR's batches are read exactly, and what is broken is named."""

from __future__ import annotations

import hashlib
import os
import pickle

import numpy as np
import pytest
from data_sets import DATA, needs

from residua.data.sources.readers.cifar import read_cifar, read_cifar_binary, read_cifar_python
from residua.errors import DataError


def cifar(n=5, classes=10, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (n, 3072), np.uint8), random.integers(0, classes, n)


@pytest.mark.parametrize("keys", [str, str.encode])
@pytest.mark.parametrize("protocol", [2, 5])
def test_python_and_binary_batches_agree(tmp_path, keys, protocol):
    pixels, labels = cifar()
    batch = {keys("data"): pixels, keys("labels"): labels.tolist(), keys("filenames"): ["x.png"] * 5}
    (tmp_path / "data_batch_1").write_bytes(pickle.dumps(batch, protocol))
    (tmp_path / "data_batch_1.bin").write_bytes(
        np.hstack([labels.astype(np.uint8)[:, None], pixels]).tobytes()
    )
    one = read_cifar_python(tmp_path / "data_batch_1", 10)
    other = read_cifar_binary(tmp_path / "data_batch_1.bin", 10)
    assert np.array_equal(one.images, other.images)
    assert one.labels.tolist() == other.labels.tolist() == labels.tolist()
    assert one.names == other.names
    assert one.names[4] == "data_batch_1[4]"
    # Red, then green, then blue planes, each by rows.
    assert one.images[2, 1, 3].tolist() == [pixels[2, 35], pixels[2, 1024 + 35], pixels[2, 2048 + 35]]


def test_cifar100_takes_the_fine_labels(tmp_path):
    pixels, fine = cifar(classes=100)
    coarse = np.full(5, 19)
    python, binary = tmp_path / "cifar-100-python", tmp_path / "cifar-100-binary"
    for folder in (python, binary):
        folder.mkdir()
    batch = {"data": pixels, "fine_labels": fine.tolist(), "coarse_labels": coarse.tolist()}
    (python / "train").write_bytes(pickle.dumps(batch, 2))
    columns = [coarse.astype(np.uint8)[:, None], fine.astype(np.uint8)[:, None], pixels]
    (binary / "train.bin").write_bytes(np.hstack(columns).tobytes())
    for folder in (python, binary):
        assert read_cifar(folder, "training", 100).labels.tolist() == fine.tolist()


@pytest.mark.parametrize(
    ("batch", "reason"),
    [
        ([1, 2], "not one of CIFAR's batches"),
        ({"labels": [1]}, "no table of pixels"),
        ({"data": np.zeros((2, 3072)), "labels": [1, 2]}, "no table of pixels"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [1]}, "no label for each of its 2"),
        ({"data": np.zeros((2, 3072), np.uint8)}, "no label for each"),
        ({"data": np.zeros((1, 3072), np.uint8), "labels": ["cat"]}, "labels that are no numbers"),
        ({"data": np.zeros((2, 3000), np.uint8), "labels": [1, 2]}, "3000 values, not 3072"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [1, 10]}, "picture 1 the label 10"),
        ({"data": np.zeros((2, 3072), np.uint8), "labels": [-1, 1]}, "picture 0 the label -1"),
        (os.system, "refused"),
    ],
)
def test_broken_python_batches(tmp_path, batch, reason):
    path = tmp_path / "test_batch"
    path.write_bytes(pickle.dumps(batch, 2))
    with pytest.raises(DataError, match=reason) as caught:
        read_cifar_python(path, 10)
    assert str(path) in str(caught.value)


def test_broken_binary_batches(tmp_path):
    path = tmp_path / "test_batch.bin"
    for content in (b"", bytes(3072)):
        path.write_bytes(content)
        with pytest.raises(DataError, match="not a multiple of 3073"):
            read_cifar_binary(path, 10)
    path.write_bytes(bytes([11]) + bytes(3072))
    with pytest.raises(DataError, match="picture 0 the label 11"):
        read_cifar_binary(path, 10)


@pytest.mark.exhaustive
@needs("cifar-10-batches-py")
def test_the_real_cifar10():
    """Equal, by MD5, to what Python's own pickle reads from the same files."""
    folder = DATA / "cifar-10-batches-py"
    for part, names in (("training", [f"data_batch_{n}" for n in range(1, 6)]), ("test", ["test_batch"])):
        got = read_cifar(folder, part, 10)
        whole = [pickle.loads((folder / name).read_bytes(), encoding="bytes") for name in names]
        pixels = np.concatenate([batch[b"data"] for batch in whole])
        planes = np.ascontiguousarray(got.images.transpose(0, 3, 1, 2))
        assert hashlib.md5(planes.tobytes()).digest() == hashlib.md5(pixels.tobytes()).digest()
        assert got.labels.tolist() == [label for batch in whole for label in batch[b"labels"]]
