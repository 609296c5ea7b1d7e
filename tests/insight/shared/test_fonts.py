"""Letters that figures are drawn in."""

from __future__ import annotations

import numpy as np
import pytest

from residua.insight.shared import fonts


@pytest.fixture
def no_fonts(monkeypatch):
    """A computer that has Matplotlib's own font only."""
    fonts.font_of.cache_clear()
    monkeypatch.setattr(fonts, "_system_fonts", lambda: ())
    fonts.written_out_letters()
    yield
    fonts.font_of.cache_clear()
    fonts.written_out_letters()


@pytest.mark.usefixtures("no_fonts")
def test_what_no_font_has_is_written_out_and_told_once():
    assert fonts.drawable("猫 and 犬") == r"\u732b and \u72ac"
    assert fonts.drawable("\U0001f41f\ufe0f").rstrip("\ufe0f") == r"\U0001f41f"
    assert fonts.written_out_letters() == "犬猫\U0001f41f"
    assert fonts.written_out_letters() == ""
    assert r"as \u72ac" in fonts.missing_text("犬猫")


@pytest.mark.usefixtures("no_fonts")
@pytest.mark.parametrize("text", ["plain $x_$", "עברית", "Ärger", "Ελληνικά", "two\nlines"])
def test_what_the_usual_font_has_stays(text):
    assert fonts.drawable(text) == text
    assert fonts.families(text) == []


@pytest.mark.usefixtures("no_fonts")
def test_letters_in_parts_are_put_together_and_controls_written_out():
    assert fonts.drawable("cafe\u0301 \x1b\t") == r"café \x1b\t"
    assert fonts.drawable("a\u2003b") == "a b" or fonts.font_of("\u2003") == ""


def test_another_font_of_the_system_is_found(monkeypatch):
    class Font:
        def __init__(self, letters):
            self.letters = letters

        def get_char_index(self, number):
            return self.letters.find(chr(number)) + 1

        def set_size(self, *_):
            pass

        def set_text(self, text):
            self.text = text

        def draw_glyphs_to_bitmap(self):
            pass

        def get_image(self):
            return np.array([self.text in "猫ไ"])

    fonts.font_of.cache_clear()
    monkeypatch.setattr(fonts, "_system_fonts", lambda: (("Thai", Font("ไ")), ("Han", Font("猫犬"))))
    assert fonts.families("a猫") == ["Han"]
    assert fonts.drawable("猫") == "猫"
    assert fonts.drawable("犬") == r"\u72ac"  # a letter that it knows and does not draw
    fonts.font_of.cache_clear()


def test_the_face_that_was_looked_at_is_the_one_that_draws():
    from matplotlib import font_manager

    for family, font in fonts._system_fonts():
        faces = [entry.name for entry in font_manager.fontManager.ttflist if entry.fname == font.fname]
        assert family == (font.family_name if font.family_name in faces else faces[0])
