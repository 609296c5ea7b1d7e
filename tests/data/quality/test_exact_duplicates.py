"""Exact duplicates are found across splits."""

from __future__ import annotations

import numpy as np
import pytest
from pixels import scenes

from residua.data.quality.exact_duplicates import Groups, first_occurrences

pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_exact_copies():
    images = scenes(6)
    splits = [images[[0, 1, 2]], images[[3, 1]], images[[4, 0, 5, 4]]]
    assert first_occurrences(splits).tolist() == [0, 1, 2, 3, 1, 5, 0, 7, 5]
    changed = images[:1].copy()
    changed[0, 31, 31, 2] ^= 1
    assert first_occurrences([images[:1], changed]).tolist() == [0, 1]


def test_copies_of_one_label_are_one_group():
    occurrences, labels = np.array([0, 1, 0, 0, 1, 5]), np.array([0, 0, 0, 1, 0, 1])
    groups = Groups.find(occurrences, labels)
    assert groups.first.tolist() == [0, 1, 3, 5]
    assert groups.of.tolist() == [0, 1, 0, 2, 1, 3]


def test_every_copy_has_its_partner_in_every_split():
    split_of = np.array([0, 0, 1, 2, 2, 2])
    groups = Groups.find(np.array([0, 1, 0, 0, 1, 1]), np.zeros(6, np.int64))
    one, other, pair = groups.spread(np.array([0]), np.array([1]), split_of)
    assert (one < other).all()
    assert set(pair.tolist()) == {0}
    pairs = set(zip(one.tolist(), other.tolist(), strict=True))
    assert pairs == {(0, 1), (0, 4), (0, 5), (1, 2), (1, 3), (2, 4), (2, 5), (3, 4), (3, 5)}
    empty = groups.spread(np.zeros(0, np.int64), np.zeros(0, np.int64), split_of)
    assert [len(part) for part in empty] == [0, 0, 0]
