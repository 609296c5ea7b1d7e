"""Which letters figures can be drawn in: the first font of this computer that has them, or a written form.

Matplotlib's own font knows Latin, Greek, Cyrillic, Hebrew and some more. For other letters the fonts of the
system are looked through, once, and only where a name needs them; what none has is written out (`\\u732b`),
so that two names never become the same row of empty boxes.
"""

from __future__ import annotations

import functools
import logging
import unicodedata
from typing import Any

from residua.files.names import escaped, printable

# Letters without a picture of their own: joiners, and what chooses a form of the letter before.
_SILENT = frozenset({"Cf", "Cc"})
_written_out: set[str] = set()


def drawable(text: str) -> str:
    """The text in letters that some font here has; breaks of lines stay."""
    if text.isascii() and text.isprintable():
        return text
    composed = unicodedata.normalize("NFC", printable(text, keep="\n"))
    return "".join(map(_drawn, composed))


def families(text: str) -> list[str]:
    """The families of fonts, beside the usual one, that a drawable text takes."""
    found = {font_of(letter) for letter in set(text) if not letter.isascii()}
    return sorted(family for family in found if family)


def written_out_letters() -> str:
    """The letters that no font had since this was asked last."""
    letters = "".join(sorted(_written_out))
    _written_out.clear()
    return letters


def missing_text(letters: str) -> str:
    """What to do about letters that no font has, in one line."""
    shown = "".join(letters[:8]) + ("…" if len(letters) > 8 else "")
    return (
        f"No font here has {shown}: figures show such letters as {escaped(letters[0])}; "
        "install one that has them (Debian: fonts-noto-cjk, fonts-noto-core, fonts-symbola)"
    )


def _drawn(letter: str) -> str:
    if letter == "\n" or letter.isascii() or font_of(letter) is not None:
        return letter
    if unicodedata.category(letter) in _SILENT or "\ufe00" <= letter <= "\ufe0f":
        return ""
    if unicodedata.category(letter) == "Zs":
        return " "
    _written_out.add(letter)
    return escaped(letter)


@functools.lru_cache(maxsize=65536)
def font_of(letter: str) -> str | None:
    """The family that has a letter: "" for the usual one, None where there is none."""
    if _has(_usual(), letter):
        return ""
    fonts = ((family, font) for family, font in _system_fonts() if _has(font, letter))
    return next((family for family, font in fonts if _inked(font, letter)), None)


def _has(font: Any, letter: str) -> bool:
    return bool(font.get_char_index(ord(letter)))


def _inked(font: Any, letter: str) -> bool:
    """Whether a font draws a letter in the size of small labels: some know letters and draw nothing."""
    font.set_size(8, 100)
    font.set_text(letter)
    font.draw_glyphs_to_bitmap()
    return bool(font.get_image().any())


@functools.cache
def _usual() -> Any:
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    return FT2Font(font_manager.findfont(font_manager.FontProperties()))


@functools.cache
def _system_fonts() -> tuple[tuple[str, Any], ...]:
    """(family, font) of every font of the system that can be drawn, upright ones without serifs first."""
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    # Few fonts of the system are there in bold; nobody needs to hear of it.
    logging.getLogger("matplotlib.font_manager").addFilter(lambda record: "font weight" not in record.msg)
    known: dict[str, list[str]] = {}
    for entry in font_manager.fontManager.ttflist:
        known.setdefault(entry.fname, []).append(entry.name)
    fonts = []
    for path in sorted({*known, *font_manager.findSystemFonts()}):
        try:
            font = FT2Font(path)
            # Colour pictures of letters are not drawn; the last resort has nothing but boxes.
            if not font.scalable or "lastresort" in font.family_name.lower().replace(" ", ""):
                continue
            if path not in known:  # installed since Matplotlib looked last
                font_manager.fontManager.addfont(path)
                known[path] = [
                    entry.name for entry in font_manager.fontManager.ttflist if entry.fname == path
                ]
        except (OSError, RuntimeError, ValueError, KeyError):
            continue
        plain = font.style_name.lower() in ("regular", "book", "roman", "normal", "medium")
        # A file may hold several faces, and others of them draw nothing in small sizes: the first is what
        # was opened here.
        family = font.family_name if font.family_name in known[path] else known[path][0]
        fonts.append(((not plain, "serif" in path.lower(), "mono" in path.lower(), path), family, font))
    return tuple((family, font) for _, family, font in sorted(fonts, key=lambda entry: entry[0]))
