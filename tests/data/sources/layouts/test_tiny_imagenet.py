"""Tiny ImageNet as its publisher lays it out."""

from __future__ import annotations

import shutil

import published
import pytest
from data_sets import SPLITS, labels_by_name, opened, pixels_agree, rejected

pytestmark = pytest.mark.usefixtures("quiet_cache")


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
