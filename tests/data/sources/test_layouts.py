"""Data sets in their publishers' own formats: every picture under its label, and mistakes named."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import published
import pytest
from PIL import Image
from tiny import call, refused

from residua.config import DataOptions
from residua.data import DATASETS, open_dataset, read_picture, recognise
from residua.data.sources.layouts import notmnist
from residua.data.sources.layouts.gtsrb import SIGNS
from residua.data.sources.layouts.table import LAYOUTS
from residua.errors import ConfigError, DataError

pytestmark = pytest.mark.usefixtures("quiet_cache")
DATA = Path(os.environ.get("RESIDUA_DATA", ""))
SPLITS = ("train", "validation", "test")


def opened(name, seed=0, said=None, **options):
    say = (lambda _: None) if said is None else said.append
    return open_dataset(DataOptions(data=str(name), **options), seed, say=say)


def rejected(name, read=None, **options):
    """The one line with which data is refused."""

    def attempt():
        data = opened(name, **options)
        if read:
            data.read(read)

    with pytest.raises((DataError, ConfigError)) as caught:
        attempt()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def labels_by_name(data):
    """{name of a picture: name of its class} over all splits, each picture once."""
    found = {}
    for split in SPLITS:
        pictures = data.read(split)
        for name, label in zip(pictures.names, pictures.labels.tolist(), strict=True):
            assert name not in found
            found[name] = data.classes[label]
    return found


def pixels_agree(folder, data, split="train"):
    pictures = data.read(split)
    for image, name in zip(pictures.images[:5], pictures.names[:5], strict=True):
        assert np.array_equal(image, read_picture(folder / name, data.height, data.width, data.channels))


# ---------------------------------------------------------------- Tiny ImageNet
def test_tiny_imagenet(tmp_path):
    folder = published.tiny_imagenet(tmp_path / "tiny-imagenet-200")
    data = opened("tiny-imagenet", data_dir=str(tmp_path))
    assert data.classes == (
        "n01443537 goldfish",
        "n01629819 European fire salamander",
        "n02012849 crane",
        "n03126707 crane",
    )
    assert (data.height, data.width, data.channels) == (64, 64, 3)
    assert [len(data.read(split)) for split in SPLITS] == [72, 8, 6]
    for name, label in labels_by_name(data).items():
        if name.startswith("train/"):
            assert label.split()[0] == name.split("/")[1]
        else:
            number = int(name.split("_")[1].split(".")[0])
            assert label.split()[0] == published.WNIDS[(3 * number) % 4]
            assert name in data.read("test").names
    pixels_agree(folder, data)
    assert not any("test_" in name for name in labels_by_name(data))


def test_tiny_imagenet_by_its_path_or_rearranged(tmp_path):
    folder = published.tiny_imagenet(tmp_path / "somewhere")
    said = []
    by_path = opened(folder, said=said)
    assert said == [f"{folder} is laid out as tiny-imagenet, and read as it"]
    wanted = {name.rpartition("/")[2]: label for name, label in labels_by_name(by_path).items()}
    for line in (folder / "val" / "val_annotations.txt").read_text().splitlines():
        name, wnid = line.split("\t")[:2]
        (folder / "val" / wnid).mkdir(exist_ok=True)
        (folder / "val" / "images" / name).rename(folder / "val" / wnid / name)
    (folder / "val" / "images").rmdir()
    again = {name.rpartition("/")[2]: label for name, label in labels_by_name(opened(folder)).items()}
    assert again == wanted


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (
            lambda f: (f / "val/val_annotations.txt").write_text("val_0.JPEG\tn01443537\n"),
            "val_annotations.txt has no line for val_1.JPEG (and 4 more)",
        ),
        (
            lambda f: (f / "val/val_annotations.txt").write_text("val_0.JPEG n01443537\n"),
            "line 1 gives no class",
        ),
        (lambda f: (f / "val/images/val_3.JPEG").unlink(), "names val_3.JPEG, which is not in val/images"),
        (lambda f: (f / "val/val_annotations.txt").unlink(), "Cannot read"),
        (lambda f: (f / "wnids.txt").write_text("n01443537\n"), "which wnids.txt does not list"),
        (lambda f: [shutil.rmtree(f / "train" / w) for w in published.WNIDS[1:]], "Class 'n03126707 crane'"),
    ],
)
def test_tiny_imagenet_spoilt(tmp_path, spoil, text):
    folder = published.tiny_imagenet(tmp_path / "tiny-imagenet-200")
    spoil(folder)
    assert text in rejected(folder)


# ---------------------------------------------------------------- ImageNet
@pytest.mark.parametrize("flat", [True, False])
def test_imagenet(tmp_path, flat):
    folder = published.imagenet(tmp_path / "imagenet", flat=flat)
    data = opened("imagenet", data_dir=str(tmp_path), size=16, validation=0.1)
    assert data.classes[0] == "n01443537 goldfish"
    assert len(set(data.classes)) == 4  # two of them are called crane
    assert [len(data.read(split)) for split in SPLITS] == [36, 4, 8]
    # The devkit's numbers are not the alphabet's: 1 is n02012849.
    order = ("n02012849", "n01443537", "n03126707", "n01629819")
    for name, label in labels_by_name(data).items():
        if name.startswith("val/"):
            number = int(name.split("_")[2].split(".")[0])
            assert label.split()[0] == order[(number - 1) % 4]
    assert (recognise(folder) is DATASETS["imagenet"]) == flat


def test_a_part_of_imagenet_s_classes(tmp_path):
    folder = published.imagenet(tmp_path / "imagenet")
    for wnid in published.WNIDS[2:]:
        shutil.rmtree(folder / "train" / wnid)
    data = opened(folder, size=16, validation=0.1)
    assert data.classes == ("n01443537 goldfish", "n01629819 European fire salamander")
    assert len(data.read("test")) == 4


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (
            lambda f: shutil.rmtree(f / "ILSVRC2012_devkit_t12"),
            "ILSVRC2012_validation_ground_truth.txt was not",
        ),
        (lambda f: (f / "ILSVRC2012_devkit_t12/data/meta.mat").unlink(), "meta.mat was not found"),
        (lambda f: (f / "ILSVRC2012_devkit_t12/data/meta.mat").write_bytes(b"no"), "no .mat file"),
        (lambda f: published.paint(f / "val/cat.JPEG", 3), "cat.JPEG has no line"),
        (lambda f: published.paint(f / "val/ILSVRC2012_val_00000009.JPEG", 3), "(8 lines)"),
        (
            lambda f: (f / "ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt").write_text(
                "7\n" * 8
            ),
            "is '7', no class of meta.mat",
        ),
    ],
)
def test_imagenet_spoilt(tmp_path, spoil, text):
    spoil(published.imagenet(tmp_path / "imagenet"))
    assert text in rejected("imagenet", data_dir=str(tmp_path), size=16)


def test_pictures_that_fit_nowhere_are_refused_before_decoding(tmp_path, monkeypatch):
    published.imagenet(tmp_path / "imagenet")
    monkeypatch.setattr("residua.data.pictures.cache._ALWAYS_FITS", 10)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10})())
    monkeypatch.setattr("os.sysconf", lambda _: 2)
    text = rejected("imagenet", read="train", data_dir=str(tmp_path), size=16, validation=0.1)
    assert "40 pictures of 16x16" in text
    assert "lower --size" in text


# ---------------------------------------------------------------- GTSRB
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


def change(table, old, new):
    table.write_text(table.read_text().replace(old, new, 1))


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda f: (f / "GT-final_test.csv").unlink(), "GTSRB_Final_Test_GT.zip"),
        (
            lambda f: shutil.copy(f / "Final_Test/Images/GT-final_test.test.csv", f / "GT-final_test.csv"),
            "ClassId is not in it",
        ),
        (lambda f: change(f / "GT-final_test.csv", ";", ","), "Filename"),
        (lambda f: change(f / "GT-final_test.csv", "41;6;5", "41;six;5"), "line 2 holds a cell that is no"),
        (lambda f: change(f / "GT-final_test.csv", ";36;14\n", ";36;43\n"), "gives the ClassId 43"),
        (lambda f: change(f / "GT-final_test.csv", ";36;14\n", ";36;14;\n"), "has 9 cells"),
        (lambda f: change(f / "GT-final_test.csv", "00003.ppm", "00077.ppm"), "names 00077.ppm"),
        (lambda f: (f / "Final_Training/Images/00014/GT-00014.csv").unlink(), "Cannot read"),
        (
            lambda f: change(f / "Final_Training/Images/00014/GT-00014.csv", ";39;14", ";39;13"),
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
    change(folder / "Final_Training/Images/00014/GT-00014.csv", ";6;5;23;39;", ";6;5;30;39;")
    said = []
    opened(folder, said=said, region=True).read("train")
    assert any("00014/00000_00000.ppm" in line and "lies outside its 29x44 pixels" in line for line in said)


# ---------------------------------------------------------------- State Farm
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
    change(folder / "driver_imgs_list.csv", old, new)
    assert text in rejected(folder)
    assert text in refused(capsys, "train", folder, "--run", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_cure_for_an_unknown_driver_is_named(tmp_path):
    folder = published.state_farm(tmp_path / "drivers")
    change(folder / "driver_imgs_list.csv", "p002,c0,img_37.jpg\n", "")
    text = rejected(folder)
    assert f"add a line subject,classname,img to {folder / 'driver_imgs_list.csv'}" in text


# ---------------------------------------------------------------- notMNIST
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


# ---------------------------------------------------------------- Dogs vs. Cats
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


# ---------------------------------------------------------------- for all of them
def test_every_layout_has_a_card_and_every_card_its_layout():
    cards = [card for card in DATASETS.values() if card.kind == "folder"]
    assert {card.layout for card in cards} == set(LAYOUTS)
    assert all(card.folders and card.page.startswith("http") for card in cards)


@pytest.mark.parametrize("name", [card.name for card in DATASETS.values() if card.kind == "folder"])
def test_a_data_set_that_is_absent_says_where_to_get_it(tmp_path, capsys, name):
    text = refused(capsys, "train", name, "--data-dir", tmp_path)
    assert DATASETS[name].page in text
    assert str(tmp_path / DATASETS[name].folders[0]) in text
    assert "--data-dir" in text


def test_an_own_folder_is_taken_for_nobody_else_s(tmp_path):
    for name in ("cat", "dog", "A", "B"):
        for number in range(3):
            published.paint(tmp_path / "pets" / name / f"{number}.png", number)
    assert recognise(tmp_path / "pets") is None
    assert recognise(tmp_path) is None
    split = tmp_path / "subset"  # val/ with folders is what anybody has
    for part in ("train", "val"):
        for wnid in published.WNIDS[:2]:
            published.paint(split / part / wnid / "0.JPEG", 1)
    assert recognise(split) is None


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"groups": "leaky"}, "names no groups"),
        ({"region": True}, "--region is for gtsrb"),
    ],
)
def test_options_of_other_data_sets(tmp_path, options, text):
    folder = published.dogs_vs_cats(tmp_path / "dogs-vs-cats")
    assert text in rejected(folder, **options)
    own = tmp_path / "own"
    for name in "ab":
        for number in range(9):
            published.paint(own / name / f"{number}.png", number)
    assert text in rejected(own, **options)
    assert "knows nothing of it" in rejected("digits", **options)


def test_labels_for_a_published_set_are_refused(tmp_path):
    published.dogs_vs_cats(tmp_path / "dogs-vs-cats")
    assert "has its own labels" in rejected("dogs-vs-cats", data_dir=str(tmp_path), labels="x.csv")


def test_the_groups_of_a_table_may_leak_too(tmp_path):
    lines = ["file,label,group"]
    for number in range(40):
        published.paint(tmp_path / "p" / f"{number}.png", number)
        lines.append(f"{number}.png,{'ab'[number % 2]},g{number // 8}")
    (tmp_path / "p" / "labels.csv").write_text("\n".join(lines))
    said = []
    kept = opened(tmp_path / "p", labels="labels.csv", test=0.25)
    opened(tmp_path / "p", labels="labels.csv", test=0.25, groups="leaky", said=said)
    sides = [{int(Path(name).stem) // 8 for name in kept.read(split).names} for split in SPLITS]
    assert sum(map(len, sides)) == 5
    assert "of 5 groups have pictures in more than one split" in said[0]


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


def test_a_ppm_is_read_as_pillow_reads_it(tmp_path):
    for mode, suffix in (("RGB", "ppm"), ("L", "pgm")):
        path = published.paint(tmp_path / f"x.{suffix}", 7, (9, 6), mode)
        channels = 3 if mode == "RGB" else 1
        wanted = np.asarray(Image.open(path)).reshape(6, 9, channels)
        assert np.array_equal(read_picture(path, 6, 9, channels), wanted)
        assert np.array_equal(read_picture(path, 3, 4, channels, box=(2, 1, 6, 4)), wanted[1:4, 2:6])
