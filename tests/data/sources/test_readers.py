"""The official formats are read exactly, and what is broken is named."""

import gzip
import hashlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

from residua.data.sources.readers.cifar import read_cifar, read_cifar_binary, read_cifar_python
from residua.data.sources.readers.idx import read_idx, read_idx_pair
from residua.errors import DataError

DATA = Path(os.environ.get("RESIDUA_DATA", ""))


def needs(name):
    there = bool(os.environ.get("RESIDUA_DATA")) and (DATA / name).exists()
    return pytest.mark.skipif(not there, reason=f"needs {name} in the folder RESIDUA_DATA")


def idx(array):
    return (
        bytes((0, 0, 8, array.ndim)) + b"".join(n.to_bytes(4, "big") for n in array.shape) + array.tobytes()
    )


IMAGES = np.arange(4 * 28 * 28, dtype=np.uint32).astype(np.uint8).reshape(4, 28, 28)
LABELS = np.array([3, 1, 4, 1], np.uint8)


@pytest.mark.parametrize("packed", [False, True])
def test_idx(tmp_path, packed):
    write, end = (gzip.compress, ".gz") if packed else (bytes, "")
    images, labels = tmp_path / f"train-images-idx3-ubyte{end}", tmp_path / f"train-labels-idx1-ubyte{end}"
    images.write_bytes(write(idx(IMAGES)))
    labels.write_bytes(write(idx(LABELS)))
    got = read_idx_pair(images, labels, 10, 28, 28)
    assert np.array_equal(got.images[..., 0], IMAGES)
    assert got.labels.tolist() == LABELS.tolist()
    assert got.labels.dtype == np.int64
    assert got.names[2] == "train[2]"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "starts with nothing"),
        (idx(LABELS), "starts with 00 00 08 01"),
        (idx(IMAGES)[:-1], "ends after 3135 of 3136"),
        (idx(IMAGES) + b"\0", "goes on after"),
        (gzip.compress(idx(IMAGES)), "is compressed"),
        (bytes((0, 0, 13, 3)) + idx(IMAGES)[4:], "not an idx file"),
        (bytes((0, 0, 8, 3)) + b"\xff" * 12, "impossible size"),
        (b"<!DOCTYPE html>....", "not an idx file"),
        (bytes((0, 0, 8, 3)) + bytes(12), "impossible size"),
    ],
)
def test_broken_idx(tmp_path, content, reason):
    for path, data in ((tmp_path / "images", content), (tmp_path / "images.gz", gzip.compress(content))):
        path.write_bytes(data)
        with pytest.raises(DataError, match=reason) as caught:
            read_idx(path, 3)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_broken_gzip(tmp_path):
    whole = gzip.compress(np.random.default_rng(0).bytes(5000))
    content = bytes((0, 0, 8, 1)) + (5000).to_bytes(4, "big")
    path = tmp_path / "labels.gz"
    for data in (whole[:-20], b"no gzip at all", gzip.compress(content + bytes(5000))[:-9], b""):
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"labels\.gz"):
            read_idx(path, 1)
    spoilt = bytearray(gzip.compress(content + bytes(5000)))
    spoilt[-6] ^= 1  # its checksum
    path.write_bytes(spoilt)
    with pytest.raises(DataError, match="CRC"):
        read_idx(path, 1)
    with pytest.raises(DataError, match="No such file"):
        read_idx(tmp_path / "absent.gz", 1)


def test_idx_pairs_that_do_not_fit(tmp_path):
    images, labels = tmp_path / "t10k-images", tmp_path / "t10k-labels"
    images.write_bytes(idx(IMAGES))
    labels.write_bytes(idx(LABELS[:3]))
    with pytest.raises(DataError, match=r"4 pictures, t10k-labels 3 labels"):
        read_idx_pair(images, labels, 10, 28, 28)
    labels.write_bytes(idx(np.array([1, 2, 10, 3], np.uint8)))
    with pytest.raises(DataError, match="picture 2 the label 10; the labels are 0 to 9"):
        read_idx_pair(images, labels, 10, 28, 28)
    images.write_bytes(idx(IMAGES[:, :27]))
    with pytest.raises(DataError, match="27x28, not 28x28"):
        read_idx_pair(images, labels, 10, 28, 28)


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


@needs("mnist")
def test_the_real_mnist():
    got = read_idx_pair(
        DATA / "mnist/t10k-images-idx3-ubyte.gz", DATA / "mnist/t10k-labels-idx1-ubyte.gz", 10, 28, 28
    )
    raw = gzip.decompress((DATA / "mnist/t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    assert got.images.tobytes() == raw
    assert np.bincount(got.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
