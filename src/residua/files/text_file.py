"""Text files as people's programs write them: byte order marks, UTF-16 and UTF-32, Windows' letters."""

from __future__ import annotations

import codecs

WINDOWS = "cp1252"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def decode_text(content: bytes) -> tuple[str, str]:
    """A text file's letters, and the encoding that they were read in; its byte order mark is left out.

    What has no mark is UTF-16 where every other byte is zero, else UTF-8, else Windows' Western letters
    (cp1252). Raises UnicodeDecodeError, a ValueError, for what is none of these.
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if encoding is None:
        start = content[:400]
        half = len(start) // 4
        if half and start[1::2].count(0) > half > start[::2].count(0):
            encoding = "utf-16-le"
        elif half and start[::2].count(0) > half > start[1::2].count(0):
            encoding = "utf-16-be"
    if encoding is not None:
        return content.decode(encoding).removeprefix("\ufeff"), encoding
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        if b"\0" in content:
            raise
        return content.decode(WINDOWS), WINDOWS
