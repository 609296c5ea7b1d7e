"""Weights that PyTorch wrote, read without PyTorch and without running anything from the file.

A .pth, .pt or .th file is a zip archive with a pickle of the tree and a raw file for each storage; the
pickle is read through the allow-list of `residua.files.unpickle`. A .safetensors file is read as it is.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from residua.errors import ModelFileError
from residua.files.tensors import check_header
from residua.files.unpickle import load_plain

Array = NDArray[Any]

_STORAGES = {
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "HalfStorage": np.dtype("<f2"),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}
_MOST_BYTES = 4 * 2**30  # of one storage; the largest classic network, VGG19, takes 0.6 GB in all


def read_torch_weights(path: str | Path) -> dict[str, Array]:
    """{name: array} of the weights in a .pth, .pt, .th or .safetensors file, names as they stand there.

    A checkpoint that keeps its weights under "state_dict" or "model" gives those; "module.", which
    training on several devices puts in front of every name, is taken off. Raises ModelFileError.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelFileError(f"there is no file {path}")
    if zipfile.is_zipfile(path):
        tree = _read_archive(path)
    else:
        with open(path, "rb") as stream:
            start = stream.read(2)
        if start[:1] == b"\x80":
            raise ModelFileError(
                f"{path} is in PyTorch's format from before version 1.6: load it there and save it again"
            )
        tree = _read_safetensors(path)
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(tree, Mapping) and isinstance(tree.get(key), Mapping):
            tree = tree[key]
    weights = (
        {
            str(name).removeprefix("module."): array
            for name, array in tree.items()
            if isinstance(array, np.ndarray)
        }
        if isinstance(tree, Mapping)
        else {}
    )
    if not weights:
        raise ModelFileError(f"{path} holds no named weights: save a network's state_dict() in it")
    return weights


def _read_safetensors(path: Path) -> dict[str, Array]:
    from safetensors import SafetensorError, safe_open

    check_header(path)
    try:
        with safe_open(str(path), framework="numpy") as stored:
            return {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, TypeError) as error:
        raise ModelFileError(f"{path} is neither a PyTorch archive nor safetensors: {error}") from None


def _read_archive(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path) as archive:
            pickles = [name for name in archive.namelist() if name.endswith("data.pkl")]
            if len(pickles) != 1:
                raise ModelFileError(f"{path} is a zip archive, but not one that PyTorch wrote")
            prefix = pickles[0].removesuffix("data.pkl")
            storages: dict[str, Array] = {}

            def storage(identity: Any) -> Array:
                """("storage", kind, key, device, count) -> the raw numbers."""
                word, kind, key, _, count = identity
                if word != "storage" or not isinstance(kind, np.dtype):
                    raise ModelFileError(f"{path} refers to something that is not a storage: {word!r}")
                if key not in storages:
                    if not 0 <= count * kind.itemsize <= _MOST_BYTES:
                        raise ModelFileError(
                            f"{path} claims a storage of {count:,} numbers; 4 GB is the most"
                        )
                    raw = archive.read(f"{prefix}data/{key}")
                    if len(raw) < count * kind.itemsize:
                        raise ModelFileError(f"{path} is damaged: storage {key} is shorter than it claims")
                    storages[key] = np.frombuffer(raw, kind, count)
                return storages[key]

            names: dict[str, Any] = {f"torch.{name}": kind for name, kind in _STORAGES.items()}
            names["collections.OrderedDict"] = dict
            names["torch._utils._rebuild_tensor_v2"] = _rebuild
            names["torch._utils._rebuild_parameter"] = lambda data, *_: data
            return load_plain(
                archive.read(pickles[0]),
                name=str(path),
                error=ModelFileError,
                extra=names,
                persistent_load=storage,
            )
    except (zipfile.BadZipFile, KeyError, OSError, EOFError) as error:
        raise ModelFileError(f"{path} is damaged: {error}") from None


def _rebuild(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Array:
    """A tensor out of its storage; every element it asks for must lie inside."""
    if not isinstance(storage, np.ndarray) or len(shape) != len(strides):
        raise ModelFileError("a tensor in the file does not refer to a storage")
    sides, steps = [int(n) for n in shape], [int(n) for n in strides]
    last = offset + sum((side - 1) * step for side, step in zip(sides, steps, strict=True))
    if min([offset, *sides, *steps]) < 0 or (math.prod(sides) and last >= storage.size):
        raise ModelFileError("a tensor in the file reaches outside of its storage")
    view = np.lib.stride_tricks.as_strided(
        storage[offset:], sides, [step * storage.itemsize for step in steps], writeable=False
    )
    return np.ascontiguousarray(view)
