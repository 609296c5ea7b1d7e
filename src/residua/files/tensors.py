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

from residua.errors import ModelFileError, one_line
from residua.files.durable import write_durably
from residua.files.safetensors_file import REMEDY, read_safetensors
from residua.files.strict_json import parse_json

Array = NDArray[Any]


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
    hint = "Name a model file or a run folder."
    arrays, metadata = read_safetensors(path, what=kind, hint=hint)
    if "residua" not in metadata:
        raise ModelFileError(
            f"{path} is not a residua {kind}: weights from elsewhere come in by `residua import`"
        )
    try:
        header = parse_json(metadata["residua"])
        stored_kind, stored_version, text = header["kind"], header["version"], header["document"]
        whole = header["sha256"] == _digest(stored_kind, stored_version, text, arrays)
        document = parse_json(text)
        if not isinstance(document, dict):
            raise ValueError("its document is not a table")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFileError(
            f"{path} is damaged: its header cannot be read ({one_line(error, 120)}). {REMEDY}"
        ) from None
    if not whole:
        raise ModelFileError(f"{path} is damaged: its contents do not match their checksum. {REMEDY}")
    if stored_kind != kind:
        raise ModelFileError(f"{path} is a {str(stored_kind)[:60]}, where a {kind} is needed")
    if type(stored_version) is not int or stored_version > version:
        raise ModelFileError(
            f"{path} was written in format {str(stored_version)[:20]} by a newer residua; this one reads up "
            f"to format {version}: upgrade residua to use it"
        )
    return arrays, document
