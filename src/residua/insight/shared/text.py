"""Words that several capabilities share: names cut short, splits and durations."""

from __future__ import annotations

from residua.data.dataset import SPLITS


def shorten(name: str, letters: int) -> str:
    """The name, cut to so many letters."""
    return name if len(name) <= letters else name[: letters - 1].rstrip(" ,") + "…"


def split_name(split: str) -> str:
    """A split in words: `test split`, or `whole folder` as it is."""
    return f"{split} split" if split in SPLITS else split


def format_duration(seconds: float) -> str:
    """Seconds in words: 8.2 s, 4 min 13 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
