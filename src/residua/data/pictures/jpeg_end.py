"""JPEGs that lack their end marker: whole but for it, or cut off in the middle of their pixels."""

from __future__ import annotations

import io

_END = b"\xff\xd9"
_RESTARTS = b"\xff\xdd\x00\x04"  # the pixels come in sections that a decoder can find again
# Two things that the decoder could take for more pixels: where it needs any, they come out differently.
_FILLERS = (b"\xaa" * 64, b"\x55" * 64)


def with_end(data: bytes) -> bytes | None:
    """A JPEG with its end marker, where that alone was missing; None for all others, cut ones among them.

    Progressive JPEGs are never taken for whole, for later, finer passes may be missing, nor are those in
    sections, whose decoder passes over missing ones.
    """
    from PIL import Image

    body = data.rstrip(b"\xff")
    if data[:2] != b"\xff\xd8" or _END in data[-2:] or _RESTARTS in data:
        return None
    shown = []
    for filler in _FILLERS:
        with Image.open(io.BytesIO(body + filler + _END), formats=("JPEG",)) as image:
            if image.info.get("progressive"):
                return None
            shown.append(image.tobytes())
    return body + _END if shown[0] == shown[1] else None
