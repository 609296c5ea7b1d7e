"""State Farm's drivers as their publisher lays them out."""

from __future__ import annotations

from pathlib import Path

import published
import pytest
from data_sets import SPLITS, labels_by_name, opened, pixels_agree, rejected, replace_in
from tiny import call, refused

pytestmark = pytest.mark.usefixtures("quiet_cache")


def drivers_of(folder):
    lines = (folder / "driver_imgs_list.csv").read_text().splitlines()[1:]
    return {line.split(",")[2]: line.split(",")[0] for line in lines}


def test_state_farm_splits_by_driver(tmp_path):
    folder = published.state_farm(tmp_path / "state-farm-distracted-driver-detection")
    driver = drivers_of(folder)
    divisions = set()
    for seed in range(4):
        data = opened("state-farm", seed, data_dir=str(tmp_path), test=0.25, validation=0.25)
        assert data.classes[:2] == ("c0 safe driving", "c1 texting right")
        labels = labels_by_name(data)
        assert len(labels) == 64
        assert all(label.split()[0] == name.split("/")[2] for name, label in labels.items())
        sides = [{driver[Path(name).name] for name in data.read(split).names} for split in SPLITS]
        assert all(sides)
        assert sorted(name for side in sides for name in side) == sorted(published.DRIVERS)
        again = opened("state-farm", seed, data_dir=str(tmp_path), test=0.25, validation=0.25)
        assert again.fingerprint("test") == data.fingerprint("test")
        divisions.add(tuple(sorted(sides[2])))
    assert len(divisions) > 1, "the seed must decide"
    pixels_agree(folder, data)


def test_pictures_beside_the_table_are_split_by_driver_too(tmp_path):
    published.state_farm(tmp_path / "drivers")
    folder = tmp_path / "unpacked"
    folder.mkdir()
    (tmp_path / "drivers" / "imgs" / "train").rename(folder / "train")
    (tmp_path / "drivers" / "driver_imgs_list.csv").rename(folder / "driver_imgs_list.csv")
    driver, said = drivers_of(folder), []
    data = opened(folder, said=said, test=0.25, validation=0.25)
    assert any("is laid out as state-farm" in line for line in said)
    assert data.classes[1] == "c1 texting right"
    sides = [{driver[Path(name).name] for name in data.read(split).names} for split in SPLITS]
    assert sorted(name for side in sides for name in side) == sorted(published.DRIVERS)


def test_the_leaky_split_says_so(tmp_path):
    folder = published.state_farm(tmp_path / "drivers")
    said = []
    data = opened(folder, said=said, groups="leaky")
    driver = drivers_of(folder)
    sides = [{driver[Path(name).name] for name in data.read(split).names} for split in SPLITS]
    assert sides[0] & sides[2]
    (line,) = (line for line in said if line.startswith("--groups leaky"))
    torn = sum(sum(name in side for side in sides) > 1 for name in published.DRIVERS)
    assert f"{torn} of 8 drivers have pictures in more than one split" in line
    assert "better than they are for a new driver" in line


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("p002,c0,img_37.jpg\n", "", "The driver of imgs/train/c0/img_37.jpg is unknown"),
        ("p002,c0,img_37.jpg\np002,c0,img_74.jpg\n", "", "imgs/train/c0/img_37.jpg (and 1 more) is unknown"),
        ("p002,c0,img_37.jpg", ",c0,img_37.jpg", "line 2 names no driver for c0/img_37.jpg"),
        ("p002,c0,img_37.jpg", "p002,c12,img_37.jpg", "names the class 'c12'; they are c0 to c9"),
        ("p002,c0,img_37.jpg", "p002,c1,img_37.jpg", "The driver of imgs/train/c0/img_37.jpg is unknown"),
        ("p002,c0,img_74.jpg", "p003,c0,img_37.jpg", "'p003', an earlier line 'p002'; keep one"),
        (
            "p002,c0,img_37.jpg\n",
            "p002,c0,img_37.jpg\np002,c0,img_1.jpg\n",
            "names c0/img_1.jpg, which is not",
        ),
        ("subject,", "driver,", "subject is not in it"),
        ("p002,c0,img_37.jpg", "p002,c0", "line 2 has 2 cells"),
    ],
)
def test_unknown_drivers_and_other_mistakes(tmp_path, capsys, old, new, text):
    folder = published.state_farm(tmp_path / "drivers")
    replace_in(folder / "driver_imgs_list.csv", old, new)
    assert text in rejected(folder)
    assert text in refused(capsys, "train", folder, "--run", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_cure_for_an_unknown_driver_is_named(tmp_path):
    folder = published.state_farm(tmp_path / "drivers")
    replace_in(folder / "driver_imgs_list.csv", "p002,c0,img_37.jpg\n", "")
    text = rejected(folder)
    assert f"add a line subject,classname,img to {folder / 'driver_imgs_list.csv'}" in text


def test_train_and_evaluate_by_one_command_each(tmp_path, capsys):
    """The split by driver is drawn again for evaluation, from what the model file says of it."""
    folder = published.state_farm(tmp_path / "drivers")
    code, out, err = call(
        capsys, "train", folder, "--size", 8, "--model", "resnet8", "--width", 4, "--epochs", 1,
        "--test", 0.25, "--seed", 3, "--threads", 1, "--run", tmp_path / "run",
    )  # fmt: skip
    assert code == 0, err
    assert "is laid out as state-farm" in out + err
    code, out, err = call(capsys, "evaluate", tmp_path / "run")
    assert code == 0, err
    assert "test split: 16 pictures" in out
    assert "has changed" not in err
