"""Parts of data sets: so many pictures of each split, and splits without each other's pictures."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from data_sets import SPLITS, drivers, make, opened, rejected, small_mnist
from tiny import answered, paint_folder, refused

from residua.data.narrowing import limited
from residua.errors import ConfigError

pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_a_limit_takes_of_every_split_and_every_class():
    data = opened("digits", limit=40)
    whole = opened("digits")
    for split in SPLITS:
        part = data.read(split)
        assert len(part) == 40
        assert set(data.counts(split).values()) <= {3, 4, 5}
        assert set(part.names) <= set(whole.read(split).names)
        assert data.fingerprint(split) != whole.fingerprint(split)
        assert data.fingerprint(split) == opened("digits", limit=40).fingerprint(split)
    assert opened("digits", 1, limit=40).read("test").names != opened("digits", limit=40).read("test").names
    assert len(opened("digits", limit=100_000).read("test")) == len(whole.read("test"))


def test_a_limit_below_the_number_of_classes_keeps_one_of_each():
    labels = np.repeat(np.arange(5), 4)
    assert sorted(labels[limited(labels, 2, 0)]) == [0, 1, 2, 3, 4]
    assert len(limited(np.array([0, 1, 1, 1]), 3, 0)) == 3  # a class with one picture cannot be divided


def test_of_a_folder_only_the_pictures_within_the_limit_are_decoded(tmp_path, monkeypatch):
    folder = tmp_path / "p"
    make(folder, a=20, b=20)
    decoded = []
    from residua.data import picture_folder

    real = picture_folder.decode_cached
    monkeypatch.setattr(
        picture_folder, "decode_cached", lambda paths, *rest: (decoded.extend(paths), real(paths, *rest))[1]
    )
    data = opened(folder, limit=4)
    assert [len(data.read(split)) for split in SPLITS] == [4, 4, 4]
    assert len(decoded) == 12


def test_copies_apart_leaves_out_what_later_splits_hold(tmp_path):
    folder = tmp_path / "p"
    make(folder, train__a=6, train__b=6, val__b=3, val__a=2, test__a=2, test__b=2)
    for source, target in (
        ("train/a/0 ü", "test/a/t"),
        ("train/b/1 ü", "val/b/v"),
        ("test/a/1 ü", "val/a/w"),
    ):
        shutil.copy(folder / f"{source}.PNG", folder / f"{target}.PNG")
    kept, apart = opened(folder), opened(folder, copies="apart")
    assert len(apart.read("test")) == len(kept.read("test"))
    pixels = {split: {image.tobytes() for image in apart.read(split).images} for split in SPLITS}
    assert not pixels["train"] & (pixels["validation"] | pixels["test"])
    assert not pixels["validation"] & pixels["test"]
    lost = {split: set(kept.read(split).names) - set(apart.read(split).names) for split in SPLITS}
    assert lost == {
        "train": {"train/a/0 ü.PNG", "train/b/1 ü.PNG"},
        "validation": {"val/a/w.PNG"},
        "test": set(),
    }
    assert sum(apart.counts("train").values()) == len(apart.read("train")) == 10


def test_pictures_that_are_no_squares(tmp_path):
    folder = tmp_path / "p"
    make(folder, a=10, b=10)
    data = opened(folder, size=12, wide=16)
    assert (data.height, data.width) == (12, 16)
    assert data.read("train").images.shape[1:] == (12, 16, 3)
    small_mnist(tmp_path / "data" / "mnist")
    assert "has its own, 28x28" in rejected("mnist", data_dir=str(tmp_path / "data"), wide=28)


def test_what_was_narrowed_is_narrowed_in_the_same_way_when_the_model_is_asked(tmp_path, capsys):
    folder = paint_folder(tmp_path / "pics", count=40)
    options = ["--model", "resnet8", "--width", 4, "--epochs", 1, "--threads", 1, "--engine", "numpy"]
    sides = ["--size", 9, "--wide", 12, "--input", 8, "--limit", 6, "--copies", "apart"]
    out = answered(capsys, "train", folder, *options, *sides, "--run", tmp_path / "run")
    assert "6 training and 6 validation pictures, 2 classes, 9x12x3" in out
    out = answered(capsys, "evaluate", tmp_path / "run")
    assert "test split: 6 pictures" in out
    assert "has changed" not in out
    assert answered(capsys, "predict", tmp_path / "run", folder / "blue" / "0.png")
    other = answered(
        capsys, "train", folder, "--from", tmp_path / "run", "--epochs", 1, "--run", tmp_path / "2"
    )
    assert "9x12x3" in other


def test_narrowing_refuses_what_makes_no_sense(tmp_path, capsys):
    folder = drivers(tmp_path / "d")
    assert "--limit takes 2 or more pictures" in refused(capsys, "train", folder, "--limit", 1)
    assert "--wide takes at least 8 pixels" in refused(capsys, "train", folder, "--wide", 3)


def test_files_are_named_where_no_pixel_decides(tmp_path):
    make(tmp_path / "p", train__a=20, train__b=20, test__a=4, test__b=4)
    assert len(opened(tmp_path / "p", limit=4).labelled_files("train")[0]) == 4
    apart = opened(tmp_path / "p", copies="apart")
    assert len(apart.labelled_files("test")[0]) == 8
    with pytest.raises(ConfigError, match=r"known by their pixels \(--copies apart\)"):
        apart.labelled_files("train")
    with pytest.raises(ConfigError, match="digits comes as arrays"):
        opened("digits").labelled_files("test")
