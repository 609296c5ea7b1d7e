"""What a picture file says beside its pixels: the orientation out of it, and files without it.

Nothing here decides whether a picture is good: what cannot be understood counts as absent.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

_ORIENTATION = 0x0112
_XMP = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')
# Tags of a TIFF file without which its pixels cannot be told.
_NEEDED = frozenset(
    [*(254, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317, 320), *range(322, 326)]
) | {332, 338, 339, 347, *range(512, 522), *range(529, 533)}
_PROFILE = 34675
MANY_PIXELS = 4_000_000  # above them a file of a few bytes is not believed
# What brings stored pixels upright, by orientation, as Pillow calls it.
TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


def exif_orientation(block: bytes) -> int | None:
    """The orientation, 1 to 8, that an EXIF block tells; 1 where it is silent, None where it is broken."""
    while block.startswith(b"Exif\0\0"):
        block = block[6:]
    if not block.strip(b"\0"):
        return 1
    if block[:4] not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        return None
    tags = tiff_tags(block)
    value = tags.get(_ORIENTATION, 1)
    if not tags and len(block) < 14:
        return None
    return value if value in range(1, 9) else 1


def xmp_orientation(block: bytes | str) -> int:
    """The orientation that XMP tells, 1 where it is silent."""
    content = block.encode(errors="replace") if isinstance(block, str) else block
    match = _XMP.search(content)
    return int(match[1]) if match else 1


def raw_profile(text: str) -> bytes | None:
    """The EXIF block of a PNG's `Raw profile type exif`: three lines, then hex digits; None where broken."""
    try:
        return bytes.fromhex("".join(text.split("\n")[3:]))
    except ValueError:
        return None


def tiff_tags(data: bytes) -> dict[int, int]:
    """The first directory of a TIFF file or EXIF block: tag -> value, or where the values lie.

    As far as it can be read; empty where it cannot.
    """
    tags: dict[int, int] = {}
    for entry, order, big in _entries(data):
        tag, kind = struct.unpack_from(order + "HH", entry)
        place = 12 if big else 8
        width = {1: "B", 3: "H", 4: "I", 16: "Q"}.get(kind, "Q" if big else "I")
        count = struct.unpack_from(order + ("Q" if big else "I"), entry, 4)[0]
        # One value stands in the entry itself; several, and texts, are no number.
        if count == 1 and (kind in (1, 3, 4) or (kind == 16 and big)):
            tags[tag] = struct.unpack_from(order + width, entry, place)[0]
        else:
            tags[tag] = -1
    return tags


def _entries(data: bytes) -> Iterator[tuple[bytes, str, bool]]:
    """The entries of the first directory, with the order of bytes and whether it is a BigTIFF."""
    if len(data) < 8 or data[:2] not in (b"II", b"MM"):
        return
    order = "<" if data[:2] == b"II" else ">"
    big = struct.unpack_from(order + "H", data, 2)[0] == 43
    try:
        (at,) = struct.unpack_from(order + ("Q" if big else "I"), data, 8 if big else 4)
        (count,) = struct.unpack_from(order + ("Q" if big else "H"), data, at)
    except (struct.error, OverflowError):  # beyond the end, or beyond what any file has
        return
    start, length = at + (8 if big else 2), 20 if big else 12
    for number in range(min(count, 4096)):
        entry = data[start + number * length : start + (number + 1) * length]
        if len(entry) < length:
            return
        yield entry, order, big


def claims_too_much(image: Any, size: int) -> bool:
    """Whether a file of `size` bytes would take memory for far more pixels than a picture of such size has.

    A photograph takes a tenth of a byte a pixel at the least. PNG, which cannot shrink
    more than a thousandfold, and scanned pages (TIFF) are left alone.
    """
    pixels = image.width * image.height
    return image.format not in ("PNG", "TIFF") and pixels > MANY_PIXELS and size * 2000 < pixels


def least_tiff_bytes(image: Any) -> int:
    """The bytes that the pixels of an opened TIFF take at least; 0 where they are packed."""
    bits = image.tag_v2.get(258, (1,))
    if image.tag_v2.get(259, 1) != 1 or not bits or not isinstance(bits, tuple):
        return 0
    if not isinstance(bits[0], int):
        return 0
    return int(image.width * image.height * min(bits[0], 64) * len(bits)) // 8


def without_metadata(data: bytes, *, keep_exif: bool) -> bytes | None:
    """A picture file with nothing but what its pixels need; None where that is not known of its kind.

    keep_exif: leave the block that holds the orientation, and a colour profile. Damage to what the pixels
    need stays as it is.
    """
    strip: Callable[[bytes, bool], bytes | None] | None = None
    if data[:2] == b"\xff\xd8":
        strip = _strip_jpeg
    elif data[:8] == b"\x89PNG\r\n\x1a\n":
        strip = _strip_png
    elif data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        strip = _strip_webp
    elif data[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        strip = _strip_tiff
    elif data[4:8] == b"ftyp":
        strip = _strip_boxes
    return None if strip is None else strip(data, keep_exif)


def _strip_jpeg(data: bytes, keep_exif: bool) -> bytes | None:
    """Segments up to the first scan, without applications' but Adobe's, which tells the colours."""
    kept, at = [data[:2]], 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        if marker == 0xDA:
            return b"".join(kept) + data[at:]
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        body = data[at + 4 : end]
        needed = not (0xE0 <= marker <= 0xEF or marker == 0xFE)
        needed = needed or (marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12)
        if needed or (keep_exif and marker == 0xE1 and body.startswith(b"Exif\0\0")):
            kept.append(data[at:end])
        at = max(end, at + 4)
    return None


def _strip_png(data: bytes, keep_exif: bool) -> bytes | None:
    """The critical chunks as they are, transparency and perhaps EXIF with a checksum that fits."""
    kept, at = [data[:8]], 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data):
            return None
        body = data[at + 8 : end - 4]
        exif = name == b"eXIf" or (name[1:] in (b"EXt", b"TXt") and body.startswith(b"Raw profile type exif"))
        if name[:1].isupper():
            kept.append(data[at:end])
        elif (name == b"tRNS" and body) or (keep_exif and exif):
            kept.append(data[at : end - 4] + zlib.crc32(name + body).to_bytes(4, "big"))
        if name == b"IEND":
            return b"".join(kept)
        at = end
    return None


def _strip_webp(data: bytes, keep_exif: bool) -> bytes | None:
    """The chunks of pixels, and a header that announces no others."""
    kept, at = [], 12
    while at + 8 <= len(data):
        name, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        body = data[at + 8 : at + 8 + length]
        if name == b"VP8X" and len(body) >= 10:
            flags = body[0] & (0x12 | (0x08 if keep_exif else 0))  # transparency, animation, EXIF
            body = bytes([flags]) + body[1:]
        if name in (b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF") or (keep_exif and name == b"EXIF"):
            kept.append(name + length.to_bytes(4, "little") + body + b"\0" * (length % 2))
        at += 8 + length + length % 2
    content = b"WEBP" + b"".join(kept)
    return b"RIFF" + len(content).to_bytes(4, "little") + content


def _strip_tiff(data: bytes, keep_exif: bool) -> bytes | None:
    """The directory made anew at its place, of the first picture's needed tags alone.

    Nothing is added: a file whose pixels end too soon stays too short.
    """
    needed = _NEEDED | ({_PROFILE} if keep_exif else set())
    found = list(_entries(data))
    if not found:
        return None
    _, order, big = found[0]
    entries = [entry for entry, _, _ in found if struct.unpack_from(order + "H", entry)[0] in needed]
    count, place, at = ("Q", "Q", 8) if big else ("H", "I", 4)
    directory = struct.pack(order + count, len(entries)) + b"".join(entries) + struct.pack(order + place, 0)
    (start,) = struct.unpack_from(order + place, data, at)
    old = start + len(struct.pack(order + count, 0)) + sum(len(entry) for entry, _, _ in found)
    room = min(old + len(struct.pack(order + place, 0)), len(data)) - start
    return data[:start] + directory[:room].ljust(room, b"\0") + data[start + room :]


def _strip_boxes(data: bytes, keep_exif: bool) -> bytes | None:
    """AVIF and HEIC: items of EXIF get a name that nobody reads; the orientation is not kept in them."""
    return re.sub(rb"(infe.{8})(Exif|mime)", rb"\1skip", data, count=64, flags=re.DOTALL)
