"""Names that file systems allow and programs trip over, and what may not come to a terminal from them."""

from __future__ import annotations

import re

MATHS = ("price_$5_to_$10", r"$x_ $\frac{ 100%^2 \n", "free")
LETTERS = ("猫", "犬 🐟", "مرحبا", "हिन्दी")
CONTROL = ("\x1b[31mred\x1b[0m", "a\nb\tc\r", "gpj.\u202eexe", "\x9b2J\x7f\a")
MARKUP = ("<b>&amp;", "[bold]x[/bold]", "-x --help", "'it' \"is\" `$(id)`|;")
LONG = ("bird of the northern hills and valleys " * 5 + "seen in spring",)
NO_TEXT = ("caf\udce9",)  # Latin-1 bytes on a disk of UTF-8
ALIKE = ("caf\u00e9", "cafe\u0301")
ALL = (*MATHS, *LETTERS, *CONTROL, *MARKUP, *LONG, *NO_TEXT, *ALIKE)

_OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def obeyed(text: str) -> list[str]:
    """The letters of an output that a terminal would obey, or that no encoding has."""
    return _OBEYED.findall(text)
