"""Names cut short, splits and durations in words."""

from __future__ import annotations

from residua.insight.shared.text import format_duration, shorten, split_name


def test_durations_in_words():
    assert [format_duration(s) for s in (8.24, 253, 7500)] == ["8.2 s", "4 min 13 s", "2 h 5 min"]


def test_long_names_are_cut_and_end_in_no_comma():
    assert shorten("goldfish", 8) == "goldfish"
    assert shorten("goldfish, Carassius", 11) == "goldfish…"


def test_splits_in_words():
    assert [split_name(name) for name in ("test", "whole folder")] == ["test split", "whole folder"]
