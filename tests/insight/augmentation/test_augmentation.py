"""The sheet of training pictures before and after they are varied."""

from __future__ import annotations

import numpy as np
import published
import pytest
from PIL import Image
from tiny import answered, paint_folder, refused

from residua.api import augment_sheet
from residua.config import DataOptions, SheetOptions
from residua.data import Preprocessing, open_dataset
from residua.data.augmentation.pipeline import Augment
from residua.insight.augmentation.numbers import CATALOGUE, VARIATIONS, each_alone, vary_pictures

pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_without_options_every_variation_is_shown_alone(tmp_path):
    data = open_dataset(DataOptions(data=str(paint_folder(tmp_path / "pics")), size=16), 0, say=print)
    options = DataOptions(data=str(tmp_path / "pics"), size=16)
    rows = vary_pictures(data, options, SheetOptions(variations=3))
    assert [row.title.split()[0] for row in rows] == [f"--{name.replace('_', '-')}" for name in VARIATIONS]
    for row in rows:
        assert len(row.after) == 3
        assert all(picture.shape == row.before.shape == (16, 16, 3) for picture in row.after)
        if row.title != "--flip":
            assert any(not np.array_equal(picture, row.before) for picture in row.after), row.title
    flips = next(row for row in rows if row.title == "--flip")
    for picture in flips.after:
        assert np.array_equal(picture, flips.before) or np.array_equal(picture, flips.before[:, ::-1])


@pytest.mark.parametrize("size", [8, 32, 63, 128, 224, 256, 512, 1024, 4096])
@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_shown_alone_keeps_to_its_own_limits_at_every_size(size, channels):
    preprocessing = Preprocessing(size, size, channels, (0.5,) * channels, (0.2,) * channels)
    for smooth in (DataOptions().elastic_smooth, 0.1, 1000.0):
        options = DataOptions(size=size, elastic_smooth=smooth)
        for title, alone in each_alone(options, preprocessing):
            Augment.of(alone)
            assert title.startswith("--")


@pytest.mark.exhaustive
def test_the_sheet_of_pictures_of_224_pixels(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paint_folder(tmp_path / "pics", count=5)
    out = answered(capsys, "augment", "pics", "--size", 224, "--variations", 1)
    assert out == "Picture: augment-pics.png\n"


def test_pictures_of_more_than_a_sheet_has_room_for_are_averaged(tmp_path):
    options = DataOptions(data=str(paint_folder(tmp_path / "pics", count=5)), size=1040, flip=True)
    (row,) = vary_pictures(
        open_dataset(options, 0, say=print), options, SheetOptions(pictures=1, variations=1)
    )
    assert row.before.shape == (346, 346, 3)


def test_grey_pictures_have_no_colours_to_vary():
    data = open_dataset(DataOptions(), 0, say=print)
    rows = vary_pictures(data, DataOptions(), SheetOptions(variations=1))
    assert len(rows) == sum(not colourful for _, _, colourful in CATALOGUE)


def test_with_options_pictures_of_all_classes_are_varied_by_them(tmp_path):
    paint_folder(tmp_path / "pics", ("blue", "green", "red"))
    options = DataOptions(data=str(tmp_path / "pics"), size=16, hue=180.0, crop=0, flip=False)
    data = open_dataset(options, 0, say=print)
    rows = vary_pictures(data, options, SheetOptions(pictures=5, variations=4))
    assert [row.title for row in rows] == ["blue", "green", "red", "blue", "green"]
    for row in rows:
        for picture in row.after:
            assert abs(picture.sum(-1, dtype=int) - row.before.sum(-1, dtype=int)).mean() < 40
            assert abs(picture.astype(int) - row.before).mean() > 3


def test_the_sheet_by_one_command(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paint_folder(tmp_path / "pics")
    assert answered(capsys, "augment", "pics", "--variations", 2) == "Picture: augment-pics.png\n"
    out = answered(
        capsys, "augment", "pics", "--mixup", 1, "--rotate", 30, "--pictures", 2, "--output", "y.png"
    )
    assert out == "Picture: y.png\n"
    for name in ("augment-pics.png", "y.png"):
        with Image.open(tmp_path / name) as picture:
            assert picture.format == "PNG"
            assert picture.width > 300
    assert "--pictures takes 1 to 100" in refused(capsys, "augment", "pics", "--pictures", 0)
    assert "choose one" in refused(capsys, "augment", "pics", "--data", "mnist")
    assert "is for colour pictures" in refused(capsys, "augment", "digits", "--hue", 20)
    assert augment_sheet("digits", say=print, variations=1, output="d.png").name == "d.png"


def test_the_sheet_of_pictures_that_are_cut(tmp_path):
    folder = published.dogs_vs_cats(tmp_path / "dogs-vs-cats")
    options = DataOptions(data=str(folder), size=32, input=24, rotate=10.0)
    data = open_dataset(options, 0, say=lambda _: None)
    rows = vary_pictures(data, options, SheetOptions(pictures=2, variations=2))
    assert all(picture.shape == (24, 24, 3) for row in rows for picture in (row.before, *row.after))
