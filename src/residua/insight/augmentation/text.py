"""The variations of training pictures in words."""

from __future__ import annotations

from dataclasses import fields

from residua.config import DataOptions
from residua.insight.augmentation.numbers import VARIATIONS


def variations_text(options: DataOptions) -> str:
    """The variations that were asked for, as options."""
    defaults = DataOptions()
    words = []
    for entry in fields(options):
        value = getattr(options, entry.name)
        if entry.name in VARIATIONS and value not in (None, getattr(defaults, entry.name)):
            flag = "--" + entry.name.replace("_", "-")
            words.append(flag if value is True else f"{flag} {value:g}")
    return " ".join(words)
