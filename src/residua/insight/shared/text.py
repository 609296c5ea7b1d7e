"""Words that several capabilities share: names cut short, splits and durations."""

from __future__ import annotations

import unicodedata

from residua.data.dataset import SPLITS
from residua.files.names import printable

TITLE = 70  # letters of a name that a figure's title has room for


def shorten(name: str, letters: int) -> str:
    """The name in one line, its middle left out where it has more than so many letters."""
    name = printable(name)
    if len(name) <= letters:
        return name
    end = (letters - 1) // 3  # what tells long names apart is often at their end
    begin = letters - 1 - end
    return name[:begin].rstrip(" ,") + "…" + name[len(name) - end :].lstrip(" ,")


def short_label(name: str, letters: int) -> str:
    """A name as a figure has room for: `shorten`, in letters that some font here has."""
    from residua.insight.shared.fonts import drawable

    parts = [drawable(part) for part in printable(unicodedata.normalize("NFC", name))]
    if sum(map(len, parts)) <= letters:
        return "".join(parts)
    end: list[str] = []
    while parts and len("".join(end)) + len(parts[-1]) <= (letters - 1) // 3:
        end.insert(0, parts.pop())
    begin: list[str] = []
    for part in parts:
        if sum(map(len, (*begin, part, *end))) > letters - 1:
            break
        begin.append(part)
    return "".join(begin).rstrip(" ,") + "…" + "".join(end).lstrip(" ,")


def cells(text: str) -> int:
    """The columns of a terminal that a text takes: two for a wide letter, none for a mark on another."""
    return sum(
        0 if unicodedata.category(c) in ("Mn", "Me", "Cf") else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )


def padded(text: str, columns: int) -> str:
    """The text with blanks behind, up to so many columns of a terminal."""
    return text + " " * max(columns - cells(text), 0)


def split_name(split: str) -> str:
    """A split in words: `test split`, or `whole folder` as it is."""
    return f"{split} split" if split in SPLITS else split


def format_duration(seconds: float) -> str:
    """Seconds in words: 8.2 s, 4 min 13 s, 2 h 5 min."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
