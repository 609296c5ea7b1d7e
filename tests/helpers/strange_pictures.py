"""Picture files as people bring them: turned, tagged, with profiles, broken metadata, of other kinds."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

# How a viewer turns a stored picture, undone: what to do to an upright one before it is stored with a tag.
_UNDO = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
SRGB_PRIMARIES = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
P3_PRIMARIES = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
BROKEN_EXIF = b"Exif\0\0IIU\0\x18\0\0\0" + bytes(40)


def scene(width=24, height=16):
    """Red left, green right, blue at the bottom: every turn and mirror looks different."""
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, : width // 2, 0] = 255
    pixels[:, width // 2 :, 1] = 255
    pixels[3 * height // 4 :] = (0, 0, 255)
    return Image.fromarray(pixels)


def saved(image, kind, **options):
    """A picture file's bytes."""
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def turned(image, tag):
    """As a camera stores an upright picture that it tags with this orientation."""
    return image.transpose(_UNDO[tag]) if tag in _UNDO else image


def tagged(image, kind, tag, **options):
    """A file's bytes of an upright picture, stored turned, with the orientation that says so."""
    if kind == "TIFF":
        return saved(turned(image, tag), kind, tiffinfo={0x0112: tag}, **options)
    exif = Image.Exif()
    exif[0x0112] = tag
    return saved(turned(image, tag), kind, exif=exif, **options)


def profile(primaries=SRGB_PRIMARIES, gamma=2.2):
    """An ICC profile, version 2, of three primaries (X, Y, Z each, for D50) and one gamma."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags = {b"wtpt": _xyz((0.9642, 1.0, 0.8249)), b"cprt": b"text" + bytes(4) + b"none\0\0\0\0"}
    tags[b"desc"] = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78) + bytes(1)
    for letter, place in zip(b"rgb", primaries, strict=True):
        tags[bytes([letter]) + b"XYZ"] = _xyz(place)
        tags[bytes([letter]) + b"TRC"] = curve
    table, body = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    content = struct.pack(">I", len(tags)) + table + body
    header = struct.pack(">I4sI4s4s4s", 128 + len(content), bytes(4), 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H", 2020, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    return header + _xyz((0.9642, 1.0, 0.8249))[8:] + bytes(128 - len(header) - 12) + content


def _xyz(place):
    return b"XYZ " + bytes(4) + b"".join(struct.pack(">i", round(number * 65536)) for number in place)


def with_segment(jpeg, marker, body):
    """A JPEG with one more segment at its beginning."""
    return jpeg[:2] + b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def with_chunk(png, name, body, *, checksum=None, after=False):
    """A PNG with one more chunk, before its pixels or after them."""
    place = len(png) - 12 if after else 33
    checksum = zlib.crc32(name + body) if checksum is None else checksum
    chunk = struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum)
    return png[:place] + chunk + png[place:]


def with_tag(tiff, tag, kind, count, value):
    """A TIFF file, little-endian, with one more tag."""
    (start,) = struct.unpack_from("<I", tiff, 4)
    (number,) = struct.unpack_from("<H", tiff, start)
    entries = [tiff[start + 2 + 12 * place : start + 14 + 12 * place] for place in range(number)]
    entries = [entry for entry in entries if struct.unpack_from("<H", entry)[0] != tag]
    entries.append(struct.pack("<HHII", tag, kind, count, value))
    entries.sort(key=lambda entry: struct.unpack_from("<H", entry)[0])
    body = tiff + bytes(len(tiff) % 2)
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return body[:4] + struct.pack("<I", len(body)) + body[8:] + directory


def with_webp_chunk(webp, name, body, size):
    """A WebP, of one plain chunk until now, with a header that announces metadata, and one such chunk."""
    width, height = size
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    header = b"VP8X" + struct.pack("<I", 10) + bytes([0x2C, 0, 0, 0]) + sides
    extra = name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    content = b"WEBP" + header + webp[12:] + extra
    return b"RIFF" + struct.pack("<I", len(content)) + content


def box_file(brand, *more):
    """The beginning of a file of ISO 14496-12, as HEIC, AVIF and MP4 are, and nothing behind it."""
    brands = brand + bytes(4) + b"".join(more or (b"mif1", brand))
    return struct.pack(">I", 8 + len(brands)) + b"ftyp" + brands + bytes(200)


HEIC = box_file(b"heic")


def write_twins(folder, names=("cat", "dog"), count=10, side=8):
    """A folder of two classes of noisy squares, as JPEG; returns it."""
    rng = np.random.default_rng(0)
    for kind, colour in zip(names, ((200, 80, 60), (60, 90, 200)), strict=True):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = np.clip(np.array(colour) + rng.integers(-40, 41, (side, side, 3)), 0, 255)
            Image.fromarray(pixels.astype(np.uint8)).save(Path(folder, kind, f"{number}.jpg"))
    return folder
