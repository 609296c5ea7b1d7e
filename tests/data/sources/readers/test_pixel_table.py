"""Kaggle's tables of pixels."""

from __future__ import annotations

import json

import numpy as np
import published
import pytest
from data_sets import SPLITS, opened
from tiny import answered, refused

from residua.data.sources.readers.pixel_table import is_pixel_table, read_labelled_table, read_pixel_table
from residua.errors import DataError

pytestmark = pytest.mark.usefixtures("quiet_cache")


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
