"""A test/ without labels beside train/ is left aside and said; training goes on."""

from __future__ import annotations

import pytest
from brought import ONE_EPOCH, paint_plan
from data_sets import opened_small, rejected_small
from tiny import call

pytestmark = pytest.mark.usefixtures("quiet_cache")
TRAIN = {"train/cat": 12, "train/dog": 12}


@pytest.mark.parametrize(
    ("plan", "said_of_it"),
    [
        ({"test": 6}, "test holds 6 pictures without labels, left aside; `residua predict` names them."),
        ({"Testing": 6}, "Testing holds 6 pictures without labels, left aside"),
        ({"test/test": 6}, "test holds 6 pictures without labels (test/ is no class of train/), left aside"),
        ({"test/unknown": 6}, "test holds 6 pictures without labels (unknown/ is no class of train/)"),
        ({"test/images": 6}, "test holds 6 pictures without labels (images/ is no class"),
        ({"val": 6}, "val holds 6 pictures without labels, left aside"),
        ({"test": 0}, "test is empty and left aside"),
        ({"test/cat": 0, "test/dog": 0}, "test is empty and left aside"),
    ],
)
def test_training_goes_on_without_it(tmp_path, plan, said_of_it):
    said = []
    data = opened_small(paint_plan(tmp_path / "pets", TRAIN | plan), said=said)
    assert [line for line in said if said_of_it in line], said
    assert data.classes == ("cat", "dog")
    assert [sum(data.counts(split).values()) for split in ("train", "validation", "test")] == [20, 2, 2]
    assert all(name.startswith("train/") for name in data.read("test").names)


def test_check_train_and_predict(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    paint_plan(tmp_path / "pets", TRAIN | {"test": 6})
    code, out, err = call(capsys, "check", "pets", "--size", "8", "--no-near")
    assert code == 0
    assert "pets/test holds 6 pictures without labels" in err
    code, out, err = call(capsys, "train", "pets", *ONE_EPOCH, "--run", "r")
    assert code == 0, err
    assert "pets/test holds 6 pictures without labels" in out + err
    code, out, err = call(capsys, "predict", "r", "pets/test")
    assert code == 0
    assert len(out.splitlines()) == 6


def test_a_labelled_test_is_kept(tmp_path):
    folder = paint_plan(tmp_path / "pets", TRAIN | {"test/images/cat": 3, "test": 2})
    said = []
    data = opened_small(folder, said=said)
    assert data.counts("test") == {"cat": 3, "dog": 0}
    # A class called unknown has labels.
    folder = paint_plan(tmp_path / "more", TRAIN | {"train/unknown": 12, "test/unknown": 3})
    assert opened_small(folder).counts("test") == {"cat": 0, "dog": 0, "unknown": 3}
    assert "Class 'eel'" in rejected_small(paint_plan(tmp_path / "eel", TRAIN | {"test/eel": 3}))
