"""ImageNet as its publisher lays it out."""

from __future__ import annotations

import shutil

import published
import pytest
from data_sets import SPLITS, labels_by_name, opened, rejected

from residua.data import DATASETS, recognise

pytestmark = pytest.mark.usefixtures("quiet_cache")


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
