"""Exact duplicates are found across splits."""

from __future__ import annotations

import pytest
from pixels import scenes

from residua.data.quality.exact_duplicates import first_occurrences

pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_exact_copies():
    images = scenes(6)
    splits = [images[[0, 1, 2]], images[[3, 1]], images[[4, 0, 5, 4]]]
    assert first_occurrences(splits).tolist() == [0, 1, 2, 3, 1, 5, 0, 7, 5]
    changed = images[:1].copy()
    changed[0, 31, 31, 2] ^= 1
    assert first_occurrences([images[:1], changed]).tolist() == [0, 1]
