"""Names cut short, splits and durations in words."""

from __future__ import annotations

from residua.insight.shared.text import cells, format_duration, padded, short_label, shorten, split_name


def test_durations_in_words():
    assert [format_duration(s) for s in (8.24, 253, 7500)] == ["8.2 s", "4 min 13 s", "2 h 5 min"]


def test_long_names_are_cut_in_the_middle():
    assert shorten("goldfish", 8) == "goldfish"
    assert shorten("goldfish, Carassius", 11) == "goldfis…ius"
    assert shorten("goldfish, auratus", 14) == "goldfish…atus"
    assert shorten("a\x1bb", 9) == r"a\x1bb"


def test_splits_in_words():
    assert [split_name(name) for name in ("test", "whole folder")] == ["test split", "whole folder"]


def test_figures_have_room_for_so_many_letters(monkeypatch):
    monkeypatch.setattr("residua.insight.shared.fonts.font_of", lambda letter: None)
    assert short_label("goldfish", 8) == "goldfish"
    assert short_label("goldfish, auratus", 14) == "goldfish…atus"
    assert short_label("猫犬鳥", 18) == r"\u732b\u72ac\u9ce5"
    assert short_label("猫犬鳥猫犬鳥", 20) == r"\u732b\u72ac…\u9ce5"
    assert len(short_label("猫" * 200, 20)) <= 20


def test_columns_of_a_terminal():
    assert [cells(text) for text in ("cat", "猫", "cafe\u0301", "한글")] == [3, 2, 4, 4]
    assert padded("猫", 4) == "猫  "
    assert padded("long", 2) == "long"
