"""The variations of training pictures in words."""

from __future__ import annotations

from residua.config import DataOptions
from residua.insight.augmentation.text import variations_text


def test_variations_are_written_as_options():
    assert variations_text(DataOptions()) == ""
    options = DataOptions(crop=4, flip=True, resized_crop=0.25)
    assert variations_text(options) == "--crop 4 --flip --resized-crop 0.25"
