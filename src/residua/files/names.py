"""Names of files, folders and classes as people may see them, and commands as they may paste them.

A name may hold anything but a zero byte: what moves a terminal's cursor, colours it or turns the direction
of reading is written out (`\\x1b`), everything else stays as it is.
"""

from __future__ import annotations

import os
import re
import shlex
import unicodedata
from collections.abc import Sequence
from typing import Any

# C0, DEL, C1; breaks of lines; what turns the direction of reading; bytes that are no UTF-8.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_RARE = re.compile("[^\x20-\x7e]")
# Small letters of the Cyrillic and Greek alphabets, and capitals, that are drawn as Latin ones.
_TWINS = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u03bf\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0391\u0392\u0395\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a7",
    "aeopcyxijsoABEKMHOPCTXABEHIKMNOPTX",
)
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_OWN = re.compile(r"--[a-z][a-z-]*|-[\d.]+(e-?\d+)?")  # options, and numbers behind them


def as_text(name: str) -> str:
    """A name from the disk as the text that it is in UTF-8, whatever this process takes names for.

    Where the locale is C, names come as bytes; a class would be called otherwise than in any other locale.
    """
    try:
        return os.fsencode(name).decode(errors="surrogateescape")
    except UnicodeEncodeError:  # it is text, from a table
        return name


def printable(text: object, keep: str = "") -> str:
    """A text of one line without anything that a terminal would obey: each such letter is written out.

    keep: letters that stay, such as the breaks between the lines of a page.
    """
    return _UNSAFE.sub(lambda match: match[0] if match[0] in keep else escaped(match[0]), str(text))


def printable_lines(text: object) -> str:
    """As `printable`, for a page: breaks of lines stay."""
    return printable(text, keep="\n")


def escaped(letter: str) -> str:
    """A letter written out: `\\n`, `\\x1b`, `\\u732b`; a byte that is no UTF-8 as `\\xe9`."""
    number = ord(letter)
    if letter in _SHORT:
        return _SHORT[letter]
    if 0xDC80 <= number <= 0xDCFF:
        return f"\\x{number - 0xDC00:02x}"
    if number < 0x80:  # not up to 0xff, where the same would be a byte
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def first_names(names: Sequence[str], most: int) -> str:
    """The first names with commas between, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def distinct(names: Sequence[str]) -> list[str]:
    """The names as `printable`; those that look like another one have their rarer letters written out."""
    shown = [printable(name) for name in names]
    alike = {index for pair in alike_pairs(names) for index in pair}
    return [_written_out(name) if index in alike else name for index, name in enumerate(shown)]


def alike_pairs(names: Sequence[str]) -> list[tuple[int, int]]:
    """Which names differ but look the same, as the first that looks so and the other.

    The same to the eye are a letter in two Unicode forms, letters without a width, blanks of any kind, and
    letters of other alphabets that are drawn as Latin ones.
    """
    first: dict[str, int] = {}
    pairs = []
    for index, name in enumerate(names):
        one = first.setdefault(_look(name), index)
        if names[one] != name:
            pairs.append((one, index))
    return pairs


def alike_text(names: Sequence[str]) -> list[str]:
    """A line for each two names that look the same."""
    return [
        f"The names {_written_out(names[one])} and {_written_out(names[other])} look the same but are not: "
        "if they mean one class, give it one name"
        for one, other in alike_pairs(names)
    ]


def _written_out(name: str) -> str:
    return _RARE.sub(lambda match: escaped(match[0]), printable(name)).replace("  ", r" \x20")


def _look(name: str) -> str:
    seen = "".join(
        " " if unicodedata.category(c) == "Zs" else c
        for c in unicodedata.normalize("NFC", name)
        if unicodedata.category(c) != "Cf" and not "\ufe00" <= c <= "\ufe0f"
    )
    return " ".join(seen.split()).translate(_TWINS)


def command(*words: Any) -> str:
    """A command of this program that can be pasted into a shell, whatever names are in it.

    What begins with a dash and is no option of the program's own or number, or is a `Path`, becomes `./-x`.
    """
    return " ".join(["residua", *(_quoted(_guarded(word)) for word in words)])


def _guarded(word: Any) -> str:
    text = str(word)
    option = isinstance(word, str) and _OWN.fullmatch(text)
    return f"./{text}" if text.startswith("-") and not option else text


def _quoted(word: str) -> str:
    """A word for a shell; one with letters that no terminal should get in the form `$'a\\nb'`."""
    if not _UNSAFE.search(word):
        return shlex.quote(word)
    text = word.replace("\\", r"\\").replace("'", r"\'")
    return f"$'{_UNSAFE.sub(lambda match: escaped(match[0]), text)}'"
