"""MATLAB's .mat files (version 5), as SVHN and ImageNet's devkit come.

Read here, and not by SciPy, whose reader ends the whole process on some damaged files. The format: MathWorks,
"MAT-File Format", version 5: a header of 128 bytes, then elements of a type, a size and content, those of
arrays with elements inside of them.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.data.sources.readers.labelled import FETCH_AGAIN, read_whole
from residua.errors import DataError

HEADER = 128
MOST_BYTES = 400_000_000  # of one variable unpacked; SVHN's largest is 225 MB
MOST_DIMENSIONS, DEEPEST, MOST_FIELDS = 8, 8, 200
_MATRIX, _COMPRESSED, _INT32, _UINT32 = 14, 15, 5, 6
_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "latin-1", 2: "latin-1", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_CELL, _STRUCT, _CHAR = 1, 2, 4
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8"}
_COMPLEX = 8  # among the flags


class _Damage(Exception):
    """What is wrong with the file, in words."""


def read_matlab(path: Path) -> dict[str, Any]:
    """The variables of a .mat file, without needless dimensions. Raises DataError.

    Numbers come as arrays, text as str, cells as a list, structures as a list of dictionaries by field.
    """
    data = memoryview(read_whole(path))
    start = bytes(data[:HEADER])
    if start[:4] == b"\x89HDF" or start[124:128] in (b"\x00\x02IM", b"\x02\x00MI"):
        raise DataError(f"{path} is of MATLAB 7.3; the published file is of version 5. {FETCH_AGAIN}")
    order = {b"IM": "<", b"MI": ">"}.get(start[126:128])
    if order is None or len(data) <= HEADER:
        raise DataError(f"{path} is damaged or no .mat file (its header is none). {FETCH_AGAIN}")
    variables: dict[str, Any] = {}
    try:
        for kind, content in _Elements(data[HEADER:], order):
            if kind == _COMPRESSED:
                kind, content = next(iter(_Elements(_unpack(content, order), order)))
            if kind == _MATRIX:
                name, value = _array(content, order, DEEPEST)
                variables[name] = value
    except _Damage as problem:
        raise DataError(f"{path} is damaged or no .mat file ({problem}). {FETCH_AGAIN}") from None
    except (ValueError, TypeError, StopIteration, MemoryError, LookupError) as problem:
        reason = " ".join(str(problem).split())[:120] or type(problem).__name__
        raise DataError(f"{path} is damaged or no .mat file ({reason}). {FETCH_AGAIN}") from None
    return variables


@dataclass(frozen=True)
class _Elements:
    """The elements of a stretch of bytes: (type, content) of each."""

    data: memoryview
    order: str

    def __iter__(self) -> Iterator[tuple[int, memoryview]]:
        place = 0
        while place + 8 <= len(self.data):
            kind, size = self._numbers(place)
            content = place + 8
            if kind >> 16:  # a small element: its size above its type, its content in the same eight bytes
                kind, size, content = kind & 0xFFFF, kind >> 16, place + 4
                end = place + 8
                if size > 4:
                    raise _Damage("a small element is too large")
            else:
                end = content + size + (-size % 8 if kind != _COMPRESSED else 0)
            if content + size > len(self.data):
                raise _Damage(f"it ends within an element of {size:,} bytes")
            yield kind, self.data[content : content + size]
            place = end

    def _numbers(self, place: int) -> tuple[int, int]:
        first, second = np.frombuffer(self.data, f"{self.order}u4", 2, place).tolist()
        return first, second


def _unpack(content: memoryview, order: str) -> memoryview:
    """One compressed element, of no more bytes than it claims."""
    unpacker = zlib.decompressobj()
    try:
        tag = unpacker.decompress(content, 8)
        if len(tag) < 8:
            raise _Damage("a compressed element is empty")
        size = int(np.frombuffer(tag, f"{order}u4", 2)[1])
        if size > MOST_BYTES:
            raise _Damage(f"it claims a variable of {size:,} bytes")
        body = unpacker.decompress(unpacker.unconsumed_tail, size) if size else b""
        # The checksum stands at the end, behind a last byte that must not be there.
        if unpacker.decompress(unpacker.unconsumed_tail, 1) or not unpacker.eof or len(body) < size:
            raise _Damage("a compressed element is cut short or longer than it claims")
    except zlib.error as problem:
        raise _Damage(str(problem)) from None
    return memoryview(tag + body)


def _array(content: memoryview, order: str, deepest: int) -> tuple[str, Any]:
    """The name and the value of an array."""
    if not len(content):
        return "", np.zeros(0)
    if not deepest:
        raise _Damage("its arrays are nested too deeply")
    elements = iter(_Elements(content, order))
    flags = _plain(*next(elements), order, (_UINT32,))
    shape = tuple(_plain(*next(elements), order, (_INT32,)).tolist())
    _, name = next(elements)
    if not 2 <= len(shape) <= MOST_DIMENSIONS or min(shape) < 0 or len(flags) != 2:
        raise _Damage(f"an array of the shape {shape[:10]}")
    count, word = math.prod(shape), int(flags[0])
    return bytes(name).decode("latin-1"), _value(
        word & 0xFF, word >> 8, (shape, count), elements, order, deepest
    )


def _value(
    kind: int,
    flags: int,
    sizes: tuple[tuple[int, ...], int],
    elements: Iterator[tuple[int, memoryview]],
    order: str,
    deepest: int,
) -> Any:
    shape, count = sizes
    if kind in (_CELL, _STRUCT):
        names = _field_names(elements, order) if kind == _STRUCT else [""]
        values = []
        for _ in range(count * len(names)):
            inner, part = next(elements)
            if inner != _MATRIX:
                raise _Damage("a part of an array that is no array")
            values.append(_array(part, order, deepest - 1)[1])
        if kind == _CELL:
            return values
        starts = range(0, len(values), len(names) or 1)
        return [dict(zip(names, values[at : at + len(names)], strict=True)) for at in starts]
    inner, part = next(elements)
    if kind == _CHAR:
        if inner not in _TEXTS:
            raise _Damage(f"text of the type {inner}")
        endian = {"<": "-le", ">": "-be"}[order] if _TEXTS[inner] in ("utf-16", "utf-32") else ""
        return bytes(part).decode(_TEXTS[inner] + endian, "replace")
    if kind not in _CLASSES or flags & _COMPLEX:
        raise _Damage(f"an array of the class {kind}, not of real numbers")
    numbers = _plain(inner, part, order, tuple(_NUMBERS))
    if len(numbers) != count:
        raise _Damage(f"an array of the shape {shape} with {len(numbers)} numbers")
    return numbers.astype(_CLASSES[kind], copy=False).reshape(shape, order="F").squeeze()


def _field_names(elements: Iterator[tuple[int, memoryview]], order: str) -> list[str]:
    length = int(_plain(*next(elements), order, (_INT32,))[0])
    text = bytes(next(elements)[1])
    if not 1 <= length <= 1000 or len(text) % length or len(text) > MOST_FIELDS * length:
        raise _Damage("a structure without names of its fields")
    return [text[at : at + length].split(b"\0")[0].decode("latin-1") for at in range(0, len(text), length)]


def _plain(kind: int, content: memoryview, order: str, kinds: tuple[int, ...]) -> NDArray[Any]:
    """Numbers of one of these types."""
    if kind not in kinds:
        raise _Damage(f"an element of the type {kind} out of its place")
    return np.frombuffer(content, order + _NUMBERS[kind])
