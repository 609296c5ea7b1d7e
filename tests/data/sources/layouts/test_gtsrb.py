"""GTSRB as its publisher lays it out."""

from __future__ import annotations

import shutil
from pathlib import Path

import published
import pytest
from data_sets import SPLITS, labels_by_name, opened, pixels_agree, rejected, replace_in

from residua.data.sources.layouts.gtsrb import SIGNS

pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_gtsrb(tmp_path):
    folder = published.gtsrb(tmp_path / "GTSRB")
    data = opened("gtsrb", data_dir=str(tmp_path), validation=0.2)
    assert data.classes == ("00 speed limit 20", "14 stop", "42 end of no overtaking by lorries")
    assert (data.height, data.width) == (48, 48)
    assert len(data.read("test")) == 9
    for name, label in labels_by_name(data).items():
        number = int(label.split()[0])
        if name.startswith("Final_Training"):
            assert int(name.split("/")[2]) == number
        else:
            assert (0, 14, 42)[int(Path(name).stem) % 3] == number
        assert label == f"{number:02d} {SIGNS[number]}"
    pixels_agree(folder, data)


def tracks(data, split):
    return {name.rpartition("_")[0] for name in data.read(split).names}


@pytest.mark.parametrize("seed", range(4))
def test_a_sign_of_gtsrb_is_on_one_side(tmp_path, seed):
    folder = published.gtsrb(tmp_path / "GTSRB")
    data = opened(folder, seed)
    assert len(data.read("validation")) > 0
    assert not tracks(data, "train") & tracks(data, "validation")
    said = []
    leaky = opened(folder, seed, said, groups="leaky")
    assert tracks(leaky, "train") & tracks(leaky, "validation")
    assert any("--groups leaky" in line and "18 signs" not in line and "signs have" in line for line in said)


def test_the_region_of_a_sign(tmp_path):
    folder = published.gtsrb(tmp_path / "GTSRB")
    whole, cut = opened(folder), opened(folder, region=True)
    assert (cut.read("train").images == 255).all()
    assert (whole.read("train").images[:, 0, 0] == 0).all()
    assert whole.fingerprint("train") != cut.fingerprint("train")
    assert (whole.read("test").images[:, 0, 0] == 0).all()  # not out of the other's cache


def test_gtsrb_without_its_test_pictures(tmp_path):
    folder = published.gtsrb(tmp_path / "GTSRB")
    shutil.rmtree(folder / "Final_Test")
    data = opened(folder)
    sides = [tracks(data, split) for split in SPLITS]
    assert all(sides)
    assert len(set.union(*sides)) == sum(map(len, sides))


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda f: (f / "GT-final_test.csv").unlink(), "GTSRB_Final_Test_GT.zip"),
        (
            lambda f: shutil.copy(f / "Final_Test/Images/GT-final_test.test.csv", f / "GT-final_test.csv"),
            "ClassId is not in it",
        ),
        (lambda f: replace_in(f / "GT-final_test.csv", ";", ","), "Filename"),
        (
            lambda f: replace_in(f / "GT-final_test.csv", "41;6;5", "41;six;5"),
            "line 2 holds a cell that is no",
        ),
        (lambda f: replace_in(f / "GT-final_test.csv", ";36;14\n", ";36;43\n"), "gives the ClassId 43"),
        (lambda f: replace_in(f / "GT-final_test.csv", ";36;14\n", ";36;14;\n"), "has 9 cells"),
        (lambda f: replace_in(f / "GT-final_test.csv", "00003.ppm", "00077.ppm"), "names 00077.ppm"),
        (lambda f: (f / "Final_Training/Images/00014/GT-00014.csv").unlink(), "Cannot read"),
        (
            lambda f: replace_in(f / "Final_Training/Images/00014/GT-00014.csv", ";39;14", ";39;13"),
            "should be 14, as its folder",
        ),
        (
            lambda f: published.paint(f / "Final_Training/Images/00014/00009_00000.ppm", 3),
            "GT-00014.csv has no line for 00009_00000.ppm",
        ),
        (lambda f: (f / "Final_Training/Images/x").mkdir(), "no class of GTSRB"),
        (
            lambda f: [shutil.rmtree(f / "Final_Training/Images" / n) for n in ("00000", "00042")],
            "Class '00 speed limit 20'",
        ),
    ],
)
def test_gtsrb_spoilt(tmp_path, spoil, text):
    folder = published.gtsrb(tmp_path / "GTSRB")
    spoil(folder)
    assert text in rejected(folder)


def test_a_region_outside_its_picture_is_a_bad_picture(tmp_path):
    folder = published.gtsrb(tmp_path / "GTSRB", tracks=30)
    replace_in(folder / "Final_Training/Images/00014/GT-00014.csv", ";6;5;23;39;", ";6;5;30;39;")
    said = []
    opened(folder, said=said, region=True).read("train")
    assert any("00014/00000_00000.ppm" in line and "lies outside its 29x44 pixels" in line for line in said)
