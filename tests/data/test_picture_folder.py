"""Folders of pictures as data sets: what is damaged, copied or changed is said."""

from __future__ import annotations

import shutil
from dataclasses import replace

import pytest
from data_sets import DATA, SPLITS, make, number, opened_small, paint, rejected_small, spoil

from residua.config import DataOptions
from residua.data import open_dataset
from residua.errors import DataError

pytestmark = pytest.mark.usefixtures("own_cache")


def test_test_pictures_are_opened_only_on_request(tmp_path):
    make(tmp_path / "pets", train__cat=10, train__dog=10, test__cat=3, test__dog=3)
    for path in (tmp_path / "pets" / "test").rglob("*.PNG"):
        path.write_bytes(b"broken")
    data = opened_small(tmp_path / "pets")
    data.read("train"), data.read("validation"), data.fingerprint("train")
    with pytest.raises(DataError, match="6 of 26"):
        data.read("test")


def test_corrupt_pictures_are_named_counted_and_never_relabelled(tmp_path):
    known = make(tmp_path / "pets", cat=150, dog=150)
    bad = {
        spoil(tmp_path / "pets/cat/7 ü.PNG"),
        spoil(tmp_path / "pets/dog/3 ü.PNG", b"<html>not found</html>"),
        spoil(tmp_path / "pets/dog/4 ü.PNG", (tmp_path / "pets/dog/5 ü.PNG").read_bytes()[:40]),
    }
    for _ in range(2):  # decoded, then from the cache
        said = []
        data = opened_small(tmp_path / "pets", said=said)
        total = 0
        for split in SPLITS:
            pictures = data.read(split)
            total += len(pictures)
            for image, label, name in zip(pictures.images, pictures.labels, pictures.names, strict=True):
                assert known[name] == number(image)
                assert data.classes[label] == name.split("/")[0]
            assert sum(data.counts(split).values()) == len(pictures)
        assert total == 297
        assert len(said) == 3
        for path in bad:
            assert sum(str(path) in line for line in said) == 1


def test_too_many_corrupt_pictures_stop(tmp_path):
    make(tmp_path / "pets", cat=100, dog=100)
    for k in range(3):
        spoil(tmp_path / f"pets/cat/{k} ü.PNG")
    text = rejected_small(tmp_path / "pets", read="train")
    assert "3 of 200" in text
    assert "more than 1 %" in text
    assert "cat/0 ü.PNG" in text


def test_the_fingerprint_tells_of_every_change(tmp_path):
    folder = tmp_path / "pets"
    make(folder, train__cat=5, train__dog=5, test__cat=3, test__dog=3, val__cat=3)
    before = {split: opened_small(folder).fingerprint(split) for split in SPLITS}
    assert before == {split: opened_small(folder, size=7).fingerprint(split) for split in SPLITS}
    shutil.copytree(folder, tmp_path / "copy")
    assert before == {split: opened_small(tmp_path / "copy").fingerprint(split) for split in SPLITS}
    (folder / "test/cat/0 ü.PNG").rename(folder / "test/dog/new.png")
    paint(folder / "train/cat/1 ü.PNG", 500)
    after = {split: opened_small(folder).fingerprint(split) for split in SPLITS}
    assert [after[split] == before[split] for split in SPLITS] == [False, True, False]


def test_copies_across_splits_and_classes_are_said(tmp_path):
    folder = tmp_path / "pets"
    make(folder, train__cat=20, train__dog=20, val__cat=3, val__dog=3, test__cat=3, test__dog=3)
    shutil.copy(folder / "train/cat/0 ü.PNG", folder / "test/cat/copy.png")
    shutil.copy(folder / "train/cat/1 ü.PNG", folder / "train/dog/copy.png")
    said = []
    data = opened_small(folder, said=said)
    data.read("train")
    assert len(said) == 1
    assert "1 pictures lie in more than one class" in said[0]
    for split in SPLITS:
        data.read(split)
    assert len(said) == 2
    assert "test/cat/copy.png (test)" in said[1]
    assert "train/cat/0 ü.PNG (train)" in said[1]


@pytest.mark.skipif(
    not (DATA.name and (DATA / "cats-dogs").is_dir()), reason="needs cats-dogs in RESIDUA_DATA"
)
def test_the_real_photographs(monkeypatch):
    data = open_dataset(replace(DataOptions(), data=str(DATA / "cats-dogs"), size=32), 0)
    sizes = [len(data.read(split)) for split in SPLITS]
    assert sum(sizes) == 1399
    assert data.classes == ("cat", "dog")
    for split in SPLITS:
        pictures = data.read(split)
        assert all(
            name.startswith(data.classes[label])
            for name, label in zip(pictures.names, pictures.labels, strict=True)
        )
        assert 20 < pictures.images.mean() < 235


def test_the_files_of_a_split_are_named_without_opening_one(tmp_path):
    make(tmp_path / "p", train__a=6, train__b=6, val__a=2, val__b=2, test__a=2, test__b=3)
    for path in (tmp_path / "p" / "test" / "a").iterdir():
        path.write_bytes(b"no picture")
    paths, labels = open_dataset(DataOptions(data=str(tmp_path / "p"), size=8), 0).labelled_files("test")
    assert [path.parent.name for path in paths] == ["a"] * 2 + ["b"] * 3
    assert labels.tolist() == [0, 0, 1, 1, 1]
