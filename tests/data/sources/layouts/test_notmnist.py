"""notMNIST as its publisher lays it out, broken pictures included."""

from __future__ import annotations

import published
import pytest
from data_sets import SPLITS, labels_by_name, opened, pixels_agree, rejected

from residua.data import DATASETS, recognise
from residua.data.sources.layouts import notmnist

pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_notmnist_names_what_is_broken_as_published(tmp_path):
    folder = published.notmnist(tmp_path / "notMNIST_small")
    said = []
    data = opened("notmnist-small", said=said, data_dir=str(tmp_path))
    assert data.classes == tuple("ABCDEFGHIJ")
    assert (data.height, data.width, data.channels) == (28, 28, 1)
    assert all(name.split("/")[0] == label for name, label in labels_by_name(data).items())
    (line,) = said
    assert line.startswith("Skipped 2 pictures that are broken as published: A/RGVtb2")
    assert "F/Q3Jvc3NvdmVyIEJvbGRPYmxpcXVlLnR0Zg==.png" in line
    assert sum(sum(data.counts(split).values()) for split in SPLITS) == 200
    pixels_agree(folder, data)


def test_notmnist_is_split_50_30_20(tmp_path):
    published.notmnist(tmp_path / "notMNIST" / "notMNIST_small", 30)
    for letter in "AF":  # the two broken ones would shift the counts of this small copy
        for path in (tmp_path / "notMNIST/notMNIST_small" / letter).glob("*=.png"):
            if path.stat().st_size == 0:
                path.unlink()
    data = opened("notmnist-small", data_dir=str(tmp_path))
    assert [len(data.read(split)) for split in SPLITS] == [150, 90, 60]
    assert set(data.counts("test").values()) == {6}


def test_other_broken_pictures_of_notmnist_count(tmp_path):
    folder = published.notmnist(tmp_path / "notMNIST_small")
    said = []
    (folder / "C" / "Rm9udA03==.png").write_bytes(b"")
    opened(folder, said=said).read("train")
    assert any(line.startswith("Skipped: Cannot read") and "C/Rm9udA03==.png" in line for line in said)
    for number in range(3):
        (folder / "D" / f"Rm9udA0{number}==.png").write_bytes(b"no picture")
    text = rejected(folder, read="train")
    assert "4 of 202 pictures" in text
    assert "C/Rm9udA03==.png" in text


def test_the_known_broken_files():
    assert len(notmnist.BROKEN) == 7
    small = {
        "A/RGVtb2NyYXRpY2FCb2xkT2xkc3R5bGUgQm9sZC50dGY=.png",
        "F/Q3Jvc3NvdmVyIEJvbGRPYmxpcXVlLnR0Zg==.png",
    }
    assert small <= notmnist.BROKEN


def test_two_sets_of_one_layout_are_told_apart(tmp_path):
    for name in ("small", "large"):
        folder = published.notmnist(tmp_path / f"notMNIST_{name}", 1)
        assert recognise(folder) is DATASETS[f"notmnist-{name}"]
    (folder / "K").mkdir()
    published.paint(folder / "K" / "x.png", 1)
    assert "folders are A to J" in rejected(folder)
