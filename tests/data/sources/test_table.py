"""SVHN's .mat files and Kaggle's tables of pixels: read exactly, and what is broken is named."""

from __future__ import annotations

import json

import numpy as np
import published
import pytest
from scipy.io import savemat
from tiny import answered, refused

from residua.config import DataOptions
from residua.data import open_dataset
from residua.data.sources.readers.pixel_table import is_pixel_table, read_labelled_table, read_pixel_table
from residua.data.sources.readers.svhn import read_svhn
from residua.errors import ConfigError, DataError

pytestmark = pytest.mark.usefixtures("quiet_cache")
SPLITS = ("train", "validation", "test")


def opened(name, **options):
    return open_dataset(DataOptions(data=str(name), **options), 0, say=lambda _: None)


# ---------------------------------------------------------------- SVHN
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


def test_files_that_are_no_matlab(tmp_path):
    published.svhn(tmp_path / "svhn")
    path = tmp_path / "svhn" / "train_32x32.mat"
    whole = path.read_bytes()
    hdf5 = b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM" + b"\x89HDF" + bytes(600)
    for content in (b"", b"<html>not found</html>", whole[: len(whole) // 2], whole[:200], hdf5):
        path.write_bytes(content)
        with pytest.raises(DataError) as caught:
            read_svhn(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
    with pytest.raises(DataError, match="Cannot read"):
        read_svhn(tmp_path / "absent.mat")


# ---------------------------------------------------------------- Kaggle's MNIST
def test_a_table_of_pixels(tmp_path):
    pixels = published.pixel_table(tmp_path / "train.csv", 30)
    images, labels = read_pixel_table(tmp_path / "train.csv")
    assert np.array_equal(images[..., 0], pixels)
    assert labels.tolist() == [number % 10 for number in range(30)]
    bare = published.pixel_table(tmp_path / "test.csv", 5, labelled=False)
    images, labels = read_pixel_table(tmp_path / "test.csv")
    assert np.array_equal(images[..., 0], bare)
    assert labels is None
    (tmp_path / "bom.csv").write_bytes(
        b"\xef\xbb\xbf" + (tmp_path / "test.csv").read_bytes().replace(b"\n", b"\r\n")
    )
    assert np.array_equal(read_pixel_table(tmp_path / "bom.csv")[0], images)
    assert all(is_pixel_table(tmp_path / name) for name in ("train.csv", "test.csv", "bom.csv"))


def test_kaggle_mnist_by_name_and_by_path(tmp_path):
    pixels = published.pixel_table(tmp_path / "digit-recognizer" / "train.csv", 100)
    for data in (opened("kaggle-mnist", data_dir=str(tmp_path)), opened(tmp_path / "digit-recognizer")):
        assert [len(data.read(split)) for split in SPLITS] == [70, 10, 20]
        for split in SPLITS:
            pictures = data.read(split)
            for image, label, name in zip(pictures.images, pictures.labels, pictures.names, strict=True):
                place = int(name.removeprefix("train[").removesuffix("]"))
                assert label == place % 10
                assert np.array_equal(image[..., 0], pixels[place])


HEADER = ",".join(["label", *(f"pixel{number}" for number in range(4))])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "needs a first line label,pixel0"),
        ("a,b,c\n1,2,3\n", "it starts with 'a,b,c'"),
        ("label,pixel0,pixel1,pixel2\n1,2,3,4\n", "needs a first line"),  # no square
        (HEADER + "\n", "holds no pictures"),
        (HEADER + "\n1,2,3,4\n", "lines of 4 cells, its first line 5"),
        (HEADER + "\n1,2,3,4,5\n1,2,3,4\n", "no line of pixels"),
        (HEADER + "\n1,2,3,4,256\n", "no line of pixels"),
        (HEADER + "\n1,2,3,4,-1\n", "no line of pixels"),
        (HEADER + "\n1,2,3,4,x\n", "no line of pixels"),
        (HEADER + "\n1,2,3,4,\n", "no line of pixels"),
        (HEADER + "\n10,2,3,4,5\n", "line 2 has the label 10; they are 0 to 9"),
        (HEADER.removeprefix("label,") + "\n1,2,3,4\n", "no column label: it is the table for"),
    ],
)
def test_broken_tables(tmp_path, content, reason):
    path = tmp_path / "train.csv"
    path.write_text(content)
    with pytest.raises(DataError, match=reason) as caught:
        read_labelled_table(path, 10, 2)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_tables_that_are_no_text_or_of_another_size(tmp_path):
    path = tmp_path / "train.csv"
    path.write_bytes(HEADER.encode() + b"\n1,2,3,4,\xff\n")
    with pytest.raises(DataError, match="UTF-8"):
        read_labelled_table(path, 10, 2)
    path.write_text(HEADER + "\n1,2,3,4,5\n")
    with pytest.raises(DataError, match="pictures of 2x2, not 28x28"):
        read_labelled_table(path, 10, 28)
    with pytest.raises(DataError, match="No such file"):
        read_pixel_table(tmp_path / "absent.csv")
    assert not is_pixel_table(tmp_path / "absent.csv")


def test_kaggle_mnist_without_its_file_says_where_to_get_it(tmp_path, capsys):
    text = refused(capsys, "train", "kaggle-mnist", "--data-dir", tmp_path)
    assert "https://www.kaggle.com/c/digit-recognizer/data" in text
    assert str(tmp_path / "digit-recognizer") in text


def test_predicting_a_table_equals_predicting_its_pictures(trained, tmp_path, capsys):
    from PIL import Image

    pixels = published.pixel_table(tmp_path / "test.csv", 3, labelled=False)
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(tmp_path / f"{number}.png")
    model = trained / "run"
    table = json.loads(answered(capsys, "predict", model, tmp_path / "test.csv", "--json"))
    files = [tmp_path / f"{number}.png" for number in range(3)]
    single = json.loads(answered(capsys, "predict", model, *files, "--json"))
    assert [entry["file"] for entry in table] == [f"{tmp_path / 'test.csv'}[{number}]" for number in range(3)]
    assert [entry["top"] for entry in table] == [entry["top"] for entry in single]
    (tmp_path / "test.csv").write_text("pixel0,pixel1,pixel2,pixel3\n1,2,3\n")
    assert "lines of 3 cells" in refused(capsys, "predict", model, tmp_path / "test.csv")
