"""Folders of classes and splits: what is meant by them, and what cannot be."""

from __future__ import annotations

import os
import shutil
import sys

import pytest
from data_sets import SPLITS, make, opened_small, paint, rejected_small

pytestmark = pytest.mark.usefixtures("own_cache")


@pytest.mark.parametrize("val", ["val", "validation"])
def test_given_splits_are_kept(tmp_path, val):
    make(tmp_path / "pets", train__cat=5, train__dog=6, test__cat=3, test__dog=2, **{f"{val}__cat": 2})
    data = opened_small(tmp_path / "pets")
    for split, folder in zip(SPLITS, ("train", val, "test"), strict=True):
        assert {name.split("/")[0] for name in data.read(split).names} == {folder}
    assert data.counts("validation") == {"cat": 2, "dog": 0}


def test_missing_splits_are_taken_from_train(tmp_path):
    make(tmp_path / "pets", train__cat=20, train__dog=20, test__cat=3)
    data = opened_small(tmp_path / "pets")
    assert [len(data.read(split)) for split in SPLITS] == [36, 4, 3]
    shutil.rmtree(tmp_path / "pets" / "test")
    assert sum(len(opened_small(tmp_path / "pets").read(split)) for split in SPLITS) == 40


def test_hidden_things_and_loops_are_passed_over(tmp_path):
    folder = tmp_path / "pets"
    make(folder, cat=5, dog=5, **{".thumbnails": 3})
    paint(folder / "__MACOSX" / "._1.png", 0)
    paint(folder / "cat" / "__MACOSX" / "1.png", 0)
    (folder / "cat" / "._0.png").write_bytes(b"shadow")
    (folder / "cat" / "notes.txt").write_text("no picture")
    (folder / "LICENSE").write_text("none")
    os.symlink(folder, folder / "cat" / "loop")
    os.symlink(folder / "dog", folder / "dog" / "again")
    data = opened_small(folder)
    # Followed, the first link would bring the dogs into cat/.
    assert data.classes == ("cat", "dog")
    assert sum(data.counts(split)["cat"] for split in SPLITS) == 5
    assert sum(data.counts(split)["dog"] for split in SPLITS) == 5


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (lambda f: f.mkdir(), "is empty"),
        (lambda f: paint(f / "a.png", 0), "holds pictures but no folders"),
        (lambda f: make(f, cat=3), "only the class 'cat'"),
        (lambda f: (make(f, cat=3), (f / "dog").mkdir()), "dog holds no pictures"),
        (lambda f: make(f, train__cat=3, train__dog=3, test__eel=2), "Class 'eel' occurs in test/eel/"),
        (lambda f: make(f, train__cat=3, train__dog=3, val__eel=2), "but not in train/"),
        (lambda f: make(f, test__cat=3, val__dog=3), "but no train/"),
        (lambda f: make(f, train__cat=9, train__dog=9, val__dog=3, validation__cat=2), "keep one"),
        (lambda f: (make(f, train__cat=9, train__dog=9), (f / "train/eel").mkdir()), "eel holds no pictures"),
        (lambda f: make(f, cat=1, dog=1), "two pictures"),
        (lambda f: make(f, cat=2, dog=2), "two pictures"),
    ],
)
def test_folders_that_cannot_be_meant(tmp_path, build, text):
    build(tmp_path / "pets")
    assert text in rejected_small(tmp_path / "pets")


def test_a_class_called_train(tmp_path):
    make(tmp_path / "vehicles", train=20, bus=20, test=20)
    assert opened_small(tmp_path / "vehicles").classes == ("bus", "test", "train")


def test_folders_beside_the_splits_are_said(tmp_path):
    make(tmp_path / "pets", train__cat=20, train__dog=20, extra=3)
    said = []
    assert opened_small(tmp_path / "pets", said=said).classes == ("cat", "dog")
    assert "extra beside train/" in said[0]


@pytest.mark.skipif(sys.platform != "linux", reason="names that are no text exist on Linux alone")
def test_names_that_are_no_text(tmp_path):
    make(tmp_path / "pets", cat=20, dog=20)
    os.rename(tmp_path / "pets/cat/0 ü.PNG", os.fsencode(tmp_path / "pets/cat") + b"/\xff.png")
    data = opened_small(tmp_path / "pets")
    assert len({data.fingerprint(split) for split in SPLITS}) == 3


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    make(tmp_path / "pets", cat=3, dog=3)
    real = os.scandir

    def refuse(path="."):
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert "Permission denied" in rejected_small(tmp_path / "pets")


def test_an_empty_split_is_left_aside(tmp_path):
    make(tmp_path / "pets", train__cat=20, train__dog=20)
    (tmp_path / "pets" / "test").mkdir()
    said = []
    assert len(opened_small(tmp_path / "pets", said=said).read("test")) == 4
    assert "test is empty and left aside" in said[0]
