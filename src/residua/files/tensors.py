"""Named arrays and a document in one safetensors file that proves itself whole when it is read.

The safetensors header holds one entry, "residua": JSON with the kind of file, the format's version, a
SHA-256 over the document and every array, and the document. Reading runs no code, checks the sum, and
says what is wrong in one line.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.errors import ModelFileError
from residua.files.durable import write_durably
from residua.files.regular import require_file

Array = NDArray[Any]

HEADER_LIMIT = 100 * 2**20  # what the safetensors library itself accepts


def _digest(kind: str, version: int, document: str, arrays: Mapping[str, Array]) -> str:
    total = hashlib.sha256()
    total.update(json.dumps([kind, version, document]).encode())
    for name in sorted(arrays):
        array = arrays[name]
        total.update(json.dumps([name, array.dtype.str, list(array.shape)]).encode())
        total.update(np.ascontiguousarray(array).data)
    return total.hexdigest()


def write_tensors(
    path: str | Path, kind: str, version: int, arrays: Mapping[str, Array], document: Mapping[str, Any]
) -> None:
    """Write the file durably: it is there whole, or what was there before still is.

    `document`: plain JSON types, no infinities. The bytes depend on the arguments alone.
    """
    from safetensors.numpy import save

    whole = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    # Not sorted: the order of a network's layers is part of the document.
    text = json.dumps(document, allow_nan=False)
    header = {
        "kind": kind,
        "version": version,
        "sha256": _digest(kind, version, text, whole),
        "document": text,
    }
    # One entry only: the library writes several in an order that changes from process to process.
    write_durably(path, save(whole, {"residua": json.dumps(header)}))


def read_tensors(path: str | Path, kind: str, version: int) -> tuple[dict[str, Array], dict[str, Any]]:
    """The arrays and the document of a file of that kind.

    Raises ModelFileError where the file is absent, cut short, damaged, of another kind, or written by a
    newer residua than this one.
    """
    from safetensors import SafetensorError, safe_open

    check_header(path)
    try:
        with safe_open(str(path), framework="numpy") as stored:
            metadata = stored.metadata() or {}
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, TypeError, OverflowError) as error:
        raise ModelFileError(f"{path} is damaged or not a {kind}: {_one_line(error)}. {_REMEDY}") from None
    if "residua" not in metadata:
        raise ModelFileError(
            f"{path} is not a residua {kind}: weights from elsewhere come in by `residua import`"
        )
    try:
        header = json.loads(metadata["residua"])
        stored_kind, stored_version, text = header["kind"], header["version"], header["document"]
        whole = header["sha256"] == _digest(stored_kind, stored_version, text, arrays)
        document = json.loads(text)
        if not isinstance(document, dict):
            raise ValueError("its document is not a table")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(
            f"{path} is damaged: its header cannot be read ({_one_line(error)[:120]}). {_REMEDY}"
        ) from None
    if not whole:
        raise ModelFileError(f"{path} is damaged: its contents do not match their checksum. {_REMEDY}")
    if stored_kind != kind:
        raise ModelFileError(f"{path} is a {stored_kind}, where a {kind} is needed")
    if not isinstance(stored_version, int) or stored_version > version:
        raise ModelFileError(
            f"{path} was written in format {stored_version} by a newer residua; this one reads up to "
            f"format {version}: upgrade residua to use it"
        )
    return arrays, document


_REMEDY = "Take another copy, or an earlier checkpoint."


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def check_header(path: str | Path) -> None:
    """Hold the size that a safetensors header claims against the file, before anything is allocated.

    Raises ModelFileError.
    """
    require_file(path, ModelFileError)
    try:
        size = Path(path).stat().st_size
        with open(path, "rb") as stream:
            start = stream.read(8)
    except OSError as error:
        hint = " Name a model file or a run folder." if isinstance(error, FileNotFoundError) else ""
        raise ModelFileError(f"cannot read {path}: {error.strerror or error}.{hint}") from None
    if not size:
        raise ModelFileError(f"{path} is empty. {_REMEDY}")
    claimed = int.from_bytes(start, "little")
    if len(start) < 8 or claimed > min(size - 8, HEADER_LIMIT):
        raise ModelFileError(
            f"{path} is cut short, damaged or not a safetensors file: its header claims {claimed:,} bytes, "
            f"the file has {size:,}. {_REMEDY}"
        )
