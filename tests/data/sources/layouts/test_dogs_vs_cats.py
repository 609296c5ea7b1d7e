"""Dogs vs. Cats as its publisher lays it out."""

from __future__ import annotations

import shutil
from pathlib import Path

import published
import pytest
from data_sets import DATA, SPLITS, labels_by_name, opened, pixels_agree, rejected
from tiny import refused

pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_dogs_vs_cats(tmp_path):
    folder = published.dogs_vs_cats(tmp_path / "dogs-vs-cats")
    data = opened("dogs-vs-cats", data_dir=str(tmp_path))
    assert data.classes == ("cat", "dog")
    labels = labels_by_name(data)
    assert len(labels) == 60
    assert all(name == f"train/{Path(name).name}" for name in labels)
    assert all(Path(name).name.startswith(label + ".") for name, label in labels.items())
    pixels_agree(folder, data)
    assert opened(folder, size=20).read("train").images.shape[1:] == (20, 20, 3)
    published.paint(folder / "train" / "holiday.jpg", 1)
    assert "holds holiday.jpg; its pictures are called cat.0.jpg" in rejected(
        "dogs-vs-cats", data_dir=str(tmp_path)
    )


def test_one_class_only_is_one_line(tmp_path, capsys):
    folder = published.dogs_vs_cats(tmp_path / "dogs-vs-cats")
    for path in (folder / "train").glob("dog*"):
        path.unlink()
    assert "holds only the class 'cat'; it takes two or more" in refused(capsys, "train", folder)


@pytest.mark.skipif(not (DATA / "cats-dogs").is_dir(), reason="needs cats-dogs in the folder RESIDUA_DATA")
def test_the_real_photographs_in_kaggle_s_layout(tmp_path):
    train = tmp_path / "dogs-vs-cats" / "train"
    train.mkdir(parents=True)
    chosen = sorted((DATA / "cats-dogs" / "cat").glob("cat.1*.jpg"))[:20]
    chosen += sorted((DATA / "cats-dogs" / "dog").glob("dog.1*.jpg"))[:20]
    for path in chosen:
        shutil.copy(path, train)
    data = opened("dogs-vs-cats", data_dir=str(tmp_path), size=32)
    assert sum(len(data.read(split)) for split in SPLITS) == 40
    pixels_agree(tmp_path / "dogs-vs-cats", data)
