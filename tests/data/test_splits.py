"""Dividing pictures: by seed, each class in proportion, each group on one side."""

from __future__ import annotations

import numpy as np
import pytest

from residua.data.splits import held_out_count, hold_out
from residua.errors import ConfigError, DataError

LABELS = np.arange(60) % 3
CLASSES = ("a", "b", "c")


@pytest.mark.parametrize(("amount", "count"), [(0, 0), (0.25, 15), (0.001, 1), (7, 7), (7.0, 7)])
def test_a_share_or_a_number(amount, count):
    assert held_out_count(amount, 60, "test") == count


@pytest.mark.parametrize("amount", [-1, 1.5, float("nan"), float("inf"), 60, 0.999])
def test_amounts_that_cannot_be_held_out(amount):
    with pytest.raises(ConfigError, match="--test"):
        held_out_count(amount, 60, "test")


def test_every_class_gives_its_share_and_the_seed_decides():
    kept, held_out = hold_out(LABELS, 15, 4, CLASSES, option="test")
    assert np.array_equal(np.sort(np.concatenate([kept, held_out])), np.arange(60))
    assert np.bincount(LABELS[held_out]).tolist() == [5, 5, 5]
    assert np.array_equal(held_out, hold_out(LABELS, 15, 4, CLASSES, option="test")[1])
    assert not np.array_equal(held_out, hold_out(LABELS, 15, 5, CLASSES, option="test")[1])
    kept, held_out = hold_out(LABELS, 0, 4, CLASSES, option="test")
    assert (len(kept), len(held_out)) == (60, 0)


def test_a_group_is_on_one_side():
    groups = [f"group {index // 6}" for index in range(60)]
    kept, held_out = hold_out(LABELS, 12, 0, CLASSES, option="test", groups=groups)
    assert not {groups[index] for index in kept} & {groups[index] for index in held_out}
    assert len(held_out) == 12
    with pytest.raises(DataError, match="of one group"):
        hold_out(LABELS, 12, 0, CLASSES, option="test", groups=["x"] * 60)


def test_a_class_of_one_picture_stays_in_training():
    labels, said = np.array([0, 1, 1, 1, 1]), []
    kept, held_out = hold_out(labels, 1, 0, CLASSES, option="validation", say=said.append)
    assert 0 in kept
    assert len(held_out) == 1
    assert said[0].startswith("'a': one picture alone cannot be divided")
