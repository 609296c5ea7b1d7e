"""Arrays of a safetensors file, of every number type that NumPy has or that can be widened without loss.

The safetensors library checks the header against the file; the numbers are then read from where it says.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from residua.errors import ModelFileError, one_line
from residua.files.regular import plain_size
from residua.files.strict_json import parse_json

Array = NDArray[Any]

HEADER_LIMIT = 100 * 2**20  # what the safetensors library itself accepts
REMEDY = "Take another copy, or an earlier checkpoint."
BFLOAT16 = "BF16"

# Number types by the names that safetensors gives them.
TYPES: dict[str, np.dtype[Any]] = {
    "F64": np.dtype("<f8"),
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    BFLOAT16: np.dtype("<u2"),
    "I64": np.dtype("<i8"),
    "I32": np.dtype("<i4"),
    "I16": np.dtype("<i2"),
    "I8": np.dtype("i1"),
    "U64": np.dtype("<u8"),
    "U32": np.dtype("<u4"),
    "U16": np.dtype("<u2"),
    "U8": np.dtype("u1"),
    "BOOL": np.dtype("?"),
    "C64": np.dtype("<c8"),
}


class Stored(NamedTuple):
    """What a file holds: {name: array}, and the texts that its header adds."""

    arrays: dict[str, Array]
    metadata: dict[str, str]


def read_safetensors(path: str | Path, *, what: str, remedy: str = REMEDY, hint: str = "") -> Stored:
    """All arrays of a file; bfloat16 comes as float32, to the bit.

    what: how messages call what the file should be. remedy: what to do about a damaged one; hint: about an
    absent one. Raises ModelFileError that says whether the file is damaged, or which array is of a number
    type that cannot be read.
    """
    from safetensors import SafetensorError, safe_open

    header, start = _read_header(path, what, remedy, hint)
    try:
        with safe_open(str(path), framework="numpy") as stored:  # holds every claim against the file
            metadata, names = stored.metadata() or {}, list(stored.keys())
    except (SafetensorError, ValueError, TypeError, OverflowError) as error:
        raise ModelFileError(f"{path} is damaged or not a {what}: {one_line(error)}. {remedy}") from None
    for name in names:
        if (kind := str(header[name]["dtype"])) not in TYPES:
            raise unsupported(path, name, kind)
    try:
        with open(path, "rb") as stream:
            return Stored({name: _array(stream, header[name], start) for name in names}, metadata)
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror or error}.") from None
    except (LookupError, TypeError, ValueError, MemoryError) as error:
        raise ModelFileError(f"{path} is damaged or not a {what}: {one_line(error)}. {remedy}") from None


def unsupported(path: str | Path, name: str, kind: str) -> ModelFileError:
    """The error for an array of numbers of a kind that nothing here computes with."""
    return ModelFileError(
        f"{path} holds {name[:200]} as {kind} numbers, which cannot be read: "
        "save its weights as float32, float16 or bfloat16"
    )


def widen_bfloat16(halves: Array) -> Array:
    """bfloat16 as its 16 bits -> float32: each is the upper half of one."""
    return (halves.astype(np.uint32) << 16).view(np.float32)


def _read_header(path: str | Path, what: str, remedy: str, hint: str) -> tuple[dict[str, Any], int]:
    """The header, and where the numbers begin; the size it claims is held against the file first."""
    size = plain_size(path, hint=hint)
    if not size:
        raise ModelFileError(f"{path} is empty. {remedy}")
    try:
        with open(path, "rb") as stream:
            start = stream.read(8)
            claimed = int.from_bytes(start, "little")
            if len(start) < 8 or claimed > min(size - 8, HEADER_LIMIT):
                raise ModelFileError(
                    f"{path} is cut short, damaged or not a safetensors file: its header claims {claimed:,} "
                    f"bytes, the file has {size:,}. {remedy}"
                )
            header = parse_json(stream.read(claimed))
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror or error}.") from None
    except ValueError as error:
        if isinstance(error, ModelFileError):
            raise
        raise ModelFileError(f"{path} is damaged or not a {what}: {one_line(error)}. {remedy}") from None
    if not isinstance(header, dict):
        raise ModelFileError(f"{path} is damaged or not a {what}: its header is no table. {remedy}")
    return header, 8 + claimed


def _array(stream: Any, entry: dict[str, Any], start: int) -> Array:
    shape, kind = tuple(entry["shape"]), TYPES[entry["dtype"]]
    stream.seek(start + entry["data_offsets"][0])
    array = np.empty(math.prod(shape), kind)
    if stream.readinto(array.view(np.uint8).data if array.size else bytearray()) != array.nbytes:
        raise ValueError("it ends before its numbers do")
    if entry["dtype"] == BFLOAT16:
        array = widen_bfloat16(array)
    return array.reshape(shape)
