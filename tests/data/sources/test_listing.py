"""Pictures listed and split: each in one split, groups on one side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import published
import pytest
from data_sets import SPLITS, drivers, make, names, number, opened, opened_small, rejected_small, table

pytestmark = pytest.mark.usefixtures("own_cache")


def test_each_picture_lies_in_one_split_under_its_own_label(tmp_path):
    known = make(tmp_path / "my pets", cat=30, dog=50, eel=20)
    data = opened_small(tmp_path / "my pets", validation=0.2, test=0.1)
    assert data.classes == ("cat", "dog", "eel")
    seen = []
    for split, sizes in zip(SPLITS, ([21, 36, 15], [6, 9, 3], [3, 5, 2]), strict=True):
        pictures = data.read(split)
        assert abs(np.bincount(pictures.labels) - sizes).max() <= 1
        assert list(data.counts(split).values()) == np.bincount(pictures.labels).tolist()
        for image, label, name in zip(pictures.images, pictures.labels, pictures.names, strict=True):
            assert known[name] == number(image)
            assert name.split("/")[0] == data.classes[label]
            seen.append(name)
    assert sorted(seen) == sorted(known)


def test_the_seed_decides(tmp_path):
    make(tmp_path / "pets", cat=20, dog=20)
    one, again, other = (names(opened_small(tmp_path / "pets", seed)) for seed in (0, 0, 1))
    assert one == again
    assert one["test"] != other["test"]
    assert one["validation"] != other["validation"]


def test_small_classes_are_mended_and_said(tmp_path):
    make(tmp_path / "pets", cat=20, dog=20, rare=1)
    said = []
    data = opened_small(tmp_path / "pets", said=said)
    assert "pets/rare" not in said[0]
    assert "'rare'" in said[0]
    assert data.counts("train")["rare"] == 1
    assert sum(data.counts(split)["rare"] for split in SPLITS) == 1


def test_groups_stay_on_one_side(tmp_path):
    lines = drivers(tmp_path / "pics")
    for seed in range(4):
        data = opened_small(
            tmp_path / "pics", seed, labels=table(tmp_path / "pics" / "l.csv", *lines), validation=0.2
        )
        people = {split: {name.split("-")[0] for name in data.read(split).names} for split in SPLITS}
        assert not people["train"] & people["validation"]
        assert not people["train"] & people["test"]
        assert not people["validation"] & people["test"]
        assert sum(map(len, people.values())) == 10
        assert data.classes == ("phone", "safe")
        assert [len(data.read(split)) for split in ("validation", "test")] == [12, 6]


def test_one_group_cannot_be_divided(tmp_path):
    lines = [line.rsplit(",", 1)[0] + ",same" for line in drivers(tmp_path / "pics")]
    lines[0] = "file,label,group"
    assert "one group" in rejected_small(tmp_path / "pics", labels=table(tmp_path / "l.csv", *lines))
    lines = [line.rsplit(",", 1)[0] + "," + line.split(",")[1] for line in lines]
    lines[0] = "file,label,group"
    assert "single group" in rejected_small(tmp_path / "pics", labels=table(tmp_path / "l.csv", *lines))


def test_the_groups_of_a_table_may_leak_too(tmp_path):
    lines = ["file,label,group"]
    for count in range(40):
        published.paint(tmp_path / "p" / f"{count}.png", count)
        lines.append(f"{count}.png,{'ab'[count % 2]},g{count // 8}")
    (tmp_path / "p" / "labels.csv").write_text("\n".join(lines))
    said = []
    kept = opened(tmp_path / "p", labels="labels.csv", test=0.25)
    opened(tmp_path / "p", labels="labels.csv", test=0.25, groups="leaky", said=said)
    sides = [{int(Path(name).stem) // 8 for name in kept.read(split).names} for split in SPLITS]
    assert sum(map(len, sides)) == 5
    assert "of 5 groups have pictures in more than one split" in said[0]
