"""The idx format is read exactly, and what is broken is named."""

from __future__ import annotations

import gzip

import numpy as np
import pytest
from data_sets import DATA, idx, needs

from residua.data.sources.readers.idx import read_idx, read_idx_pair
from residua.errors import DataError

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


@needs("mnist")
def test_the_real_mnist():
    got = read_idx_pair(
        DATA / "mnist/t10k-images-idx3-ubyte.gz", DATA / "mnist/t10k-labels-idx1-ubyte.gz", 10, 28, 28
    )
    raw = gzip.decompress((DATA / "mnist/t10k-images-idx3-ubyte.gz").read_bytes())[16:]
    assert got.images.tobytes() == raw
    assert np.bincount(got.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
