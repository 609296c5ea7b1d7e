"""PNG files of every kind that the format has, written byte by byte."""

from __future__ import annotations

import struct
import zlib

import numpy as np

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
KINDS = [
    *[(0, bits) for bits in (1, 2, 4, 8, 16)],
    *[(3, bits) for bits in (1, 2, 4, 8)],
    *[(colour, bits) for colour in (2, 4, 6) for bits in (8, 16)],
]
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def write_png(rng, colour, bits, size, *, interlaced=False, clear=False, more=()):
    """A file of random pixels; every row has another filter. clear: with a chunk of transparency."""
    height, width = size
    channels = CHANNELS[colour]
    values = rng.integers(0, 2**bits, (height, width, channels))
    if clear and colour != 3:
        values[0, :] = values[0, 0]  # some that the chunk names
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    chunks = [(b"IHDR", header)]
    if colour == 3:
        chunks.append((b"PLTE", rng.integers(0, 256, (2**bits, 3), np.uint8).tobytes()))
        if clear:
            chunks.append((b"tRNS", rng.integers(0, 256, max(2**bits - 1, 1), np.uint8).tobytes()))
    elif clear:
        chunks.append((b"tRNS", b"".join(struct.pack(">H", int(number)) for number in values[0, 0])))
    chunks += list(more)
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    rows = b"".join(_rows(values[y::down, x::across], bits) for x, y, across, down in passes)
    packed = zlib.compress(rows)
    half = len(packed) // 2
    chunks += [(b"IDAT", packed[:half]), (b"IDAT", packed[half:]), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def _rows(values, bits):
    if not values.size:
        return b""
    height, width, channels = values.shape
    if bits == 16:
        lines = values.astype(">u2").view(np.uint8).reshape(height, -1)
    elif bits == 8:
        lines = values.astype(np.uint8).reshape(height, -1)
    else:
        single = (values[..., 0, None] >> np.arange(bits)[::-1]) & 1
        lines = np.packbits(single.reshape(height, width * bits).astype(np.uint8), axis=1)
    step, above, content = max(1, channels * bits // 8), np.zeros(lines.shape[1], np.int64), b""
    for number, line in enumerate(lines.astype(np.int64)):
        left, corner = np.zeros_like(line), np.zeros_like(line)
        left[step:], corner[step:] = line[:-step], above[:-step]
        guesses = (0, left, above, (left + above) // 2, _paeth(left, above, corner))
        content += bytes([number % 5]) + ((line - guesses[number % 5]) % 256).astype(np.uint8).tobytes()
        above = line
    return content


def _paeth(a, b, c):
    to_a, to_b, to_c = abs(b - c), abs(a - c), abs(a + b - 2 * c)
    return np.where((to_a <= to_b) & (to_a <= to_c), a, np.where(to_b <= to_c, b, c))


def exif_block(orientation, order="<"):
    """An EXIF block that tells how pixels lie."""
    begin = b"II*\0" if order == "<" else b"MM\0*"
    entry = struct.pack(order + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return begin + struct.pack(order + "IH", 8, 1) + entry + struct.pack(order + "I", 0)
