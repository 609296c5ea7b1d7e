"""Protocol buffers, as far as writing them goes: the wire format in which ONNX files are kept.

A message is a list of chunks, which are joined only when they are written: weights are never copied.
https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

import struct

Chunks = list[bytes | memoryview]

_VARINT, _BYTES, _FLOAT = 0, 2, 5  # wire types


def size(chunks: Chunks) -> int:
    """How many bytes they are."""
    return sum(len(chunk) for chunk in chunks)


def integer(field: int, value: int) -> Chunks:
    """A whole number of 64 bits under a field's number."""
    return [_varint(field << 3 | _VARINT) + _varint(value)]


def real(field: int, value: float) -> Chunks:
    """A float32 under a field's number."""
    return [_varint(field << 3 | _FLOAT) + struct.pack("<f", value)]


def content(field: int, value: str | bytes | memoryview) -> Chunks:
    """Text or bytes under a field's number."""
    data = value.encode() if isinstance(value, str) else value
    return [_varint(field << 3 | _BYTES) + _varint(len(data)), data]


def message(field: int, chunks: Chunks) -> Chunks:
    """A message within a message, under a field's number."""
    return [_varint(field << 3 | _BYTES) + _varint(size(chunks)), *chunks]


def _varint(value: int) -> bytes:
    """Seven bits a byte, the least first; the eighth says that more follow. Negative ones have 64 bits."""
    value &= (1 << 64) - 1
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
