"""Pictures are decoded once, into a cache that may be damaged, full or forbidden."""

from __future__ import annotations

import os
import shutil

import numpy as np
import published
import pytest
from data_sets import SPLITS, make, number, opened_small, paint, rejected

from residua.data.pictures import cache as cache_module

pytestmark = pytest.mark.usefixtures("own_cache")


def test_decoded_once(tmp_path, monkeypatch):
    folder = tmp_path / "pets"
    make(folder, cat=10, dog=10)
    first = opened_small(folder).read("train")

    def never(*_):
        raise AssertionError("decoded again")

    with monkeypatch.context() as patch:
        patch.setattr(cache_module, "read_picture", never)
        again = opened_small(folder).read("train")
        assert np.array_equal(first.images, again.images)
        assert len(opened_small(folder, seed=9).read("test")) == 2  # another split, the same pictures
        shutil.copytree(folder, tmp_path / "moved")
        assert len(opened_small(tmp_path / "moved").read("train")) == 16
        with pytest.raises(AssertionError):
            opened_small(folder, size=5).read("train")
    paint(folder / "cat" / "0 ü.PNG", 999)
    changed = opened_small(folder)
    assert 999 in [number(image) for split in SPLITS for image in changed.read(split).images]


def test_a_whole_split_stays_on_disk(tmp_path):
    make(tmp_path / "pets", train__cat=5, train__dog=5, test__cat=3, val__dog=3)
    assert isinstance(opened_small(tmp_path / "pets").read("train").images, np.memmap)


def test_a_damaged_cache_is_made_anew(tmp_path):
    make(tmp_path / "pets", cat=10, dog=10)
    before = np.array(opened_small(tmp_path / "pets").read("train").images)
    (pixels,) = (tmp_path / "cache" / "pictures").glob("*.npy")
    for spoil in (lambda: pixels.write_bytes(pixels.read_bytes()[:-9]), pixels.unlink):
        spoil()
        assert np.array_equal(opened_small(tmp_path / "pets").read("train").images, before)


def test_a_cache_that_cannot_be_written_is_said_once(tmp_path):
    make(tmp_path / "pets", cat=10, dog=10)
    (tmp_path / "cache").write_bytes(b"a file where a folder should be")
    said = []
    data = opened_small(tmp_path / "pets", said=said)
    assert [len(data.read(split)) for split in SPLITS] == [16, 2, 2]
    assert len(said) == 1
    assert "kept in memory" in said[0]
    assert "\n" not in said[0]


def test_a_full_disk_keeps_the_pictures_in_memory(tmp_path, monkeypatch):
    make(tmp_path / "pets", cat=10, dog=10)

    def full(path):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_module, "_reserve", full)
    said = []
    assert len(opened_small(tmp_path / "pets", said=said).read("train")) == 16
    assert "No space left" in said[0]
    assert os.listdir(tmp_path / "cache" / "pictures") == []


def test_pictures_that_fit_nowhere_are_refused_before_decoding(tmp_path, monkeypatch):
    published.imagenet(tmp_path / "imagenet")
    monkeypatch.setattr("residua.data.pictures.cache._ALWAYS_FITS", 10)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    monkeypatch.setattr("os.sysconf", lambda _: 2)
    text = rejected("imagenet", read="train", data_dir=str(tmp_path), size=16, validation=0.1)
    assert "40 pictures of 16x16" in text
    assert "lower --size" in text
