"""Weights that PyTorch wrote, read without PyTorch and without running anything from the file.

Since version 1.6 a .pth, .pt or .th file is a zip archive with a pickle of the tree and a raw file for
each storage; before, it was a row of pickles followed by the storages. A .safetensors file is read as it is.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from residua.errors import ModelFileError, one_line
from residua.files.checkpoint_tree import find_weights
from residua.files.foreign_formats import recognise, recognise_archive
from residua.files.regular import plain_size
from residua.files.safetensors_file import read_safetensors, unsupported
from residua.files.torch_pickle import Storage, Tensor, unpickle

Array = NDArray[Any]

_AGAIN = "Fetch the file again."
_LEGACY_MAGIC, _LEGACY_VERSION = 0x1950A86A20F9469CFC6C, 1001
_PICKLES = tuple(bytes([0x80, protocol]) for protocol in (2, 3, 4, 5))

# What the zip library and NumPy raise over nonsense; RuntimeError is an archive with a password.
_DAMAGE: tuple[type[Exception], ...] = (
    *(zipfile.BadZipFile, LookupError, EOFError, TypeError, ValueError, ArithmeticError, RuntimeError),
    *(struct.error, zlib.error, MemoryError),
)


def read_torch_weights(path: str | Path) -> dict[str, Array]:
    """{name: array} of the weights in a .pth, .pt, .th or .safetensors file; bfloat16 becomes float32.

    Of a checkpoint, its network's weights alone (see `checkpoint_tree`); "module.", which training on several
    devices puts in front of every name, is taken off. Raises ModelFileError.
    """
    path = Path(path)
    plain_size(path)
    try:
        weights = _read(path)
    except ModelFileError as error:
        raise error if str(path) in str(error) else ModelFileError(f"{path} is refused: {error}") from None
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror or error}") from None
    except _DAMAGE as error:
        raise ModelFileError(f"{path} is damaged: {one_line(error, 120)}. {_AGAIN}") from None
    return {name.removeprefix("module."): array for name, array in weights.items()}


def _read(path: Path) -> dict[str, Array]:
    with open(path, "rb") as stream:
        start = stream.read(64)
        stream.seek(0)
        if start[:2] == b"PK" or not (start[:2] in _PICKLES or recognise(start, path)):
            if zipfile.is_zipfile(path):
                return _read_archive(path)
            if start[:2] == b"PK":  # a zip archive, whose table stands at its end
                raise ModelFileError(f"{path} is cut short or damaged. {_AGAIN}")
        if start[:2] in _PICKLES:
            return _read_legacy(stream, path)
    if text := recognise(start, path):
        raise ModelFileError(f"{path} is {text}")
    return read_safetensors(path, what="file of weights by PyTorch or safetensors", remedy=_AGAIN).arrays


def _read_archive(path: Path) -> dict[str, Array]:
    """A zip archive: <name>/data.pkl and <name>/data/<key>."""
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        pickles = [name for name in names if name.endswith("data.pkl")]
        if text := recognise_archive(names):
            raise ModelFileError(f"{path} is {text}")
        if len(pickles) != 1:
            raise ModelFileError(f"{path} is a zip archive, but not one that PyTorch wrote")
        prefix = pickles[0].removesuffix("data.pkl")

        def content(name: str) -> bytes:
            entry = archive.getinfo(prefix + name)
            # PyTorch stores without compression: what would swell while it is read is not its work.
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                raise ModelFileError(f"{path} is refused: {name} in it is compressed, not as PyTorch writes")
            return archive.read(entry)

        if f"{prefix}byteorder" in names and content("byteorder") != b"little":
            raise ModelFileError(
                f"{path} is refused: its numbers lie big end first; save it on another machine"
            )
        tensors = find_weights(unpickle(content("data.pkl"), path), Tensor, path)

        def numbers(storage: Storage, dtype: np.dtype[Any]) -> Array:
            raw = content(f"data/{storage.key}")
            if len(raw) < storage.count * dtype.itemsize:
                raise _cut_short(path, storage.key)
            return np.frombuffer(raw, dtype, storage.count)

        return _read_tensors(tensors, numbers, path)


def _read_legacy(stream: BinaryIO, path: Path) -> dict[str, Array]:
    """Before 1.6: magic number, version, system, tree, keys; then count and numbers for every key."""
    first = unpickle(stream, path)
    if isinstance(first, Mapping) and first:  # a plain pickle of arrays by name
        return find_weights(first, np.ndarray, path)
    if first != _LEGACY_MAGIC or unpickle(stream, path) != _LEGACY_VERSION:
        raise ModelFileError(f"{path} is a pickle, but not one of PyTorch's files of weights")
    unpickle(stream, path)
    described: dict[str, Storage] = {}
    tensors = find_weights(unpickle(stream, path, described), Tensor, path)
    size, wanted = path.stat().st_size, {tensor.storage.key for tensor in tensors.values()}
    storages: dict[str, bytes] = {}
    for key in map(str, unpickle(stream, path)):
        count = int.from_bytes(stream.read(8), "little")
        if key not in described or count != described[key].count:
            raise _cut_short(path, key)
        if (dtype := described[key].kind.dtype) is None:
            raise unsupported(path, f"storage {key}", described[key].kind.name)
        length = count * dtype.itemsize
        if length > size - stream.tell():
            raise _cut_short(path, key)
        if key in wanted:
            storages[key] = stream.read(length)
        else:  # the optimizer's
            stream.seek(length, 1)
    return _read_tensors(
        tensors, lambda storage, dtype: np.frombuffer(storages[storage.key], dtype, storage.count), path
    )


def _read_tensors(
    tensors: Mapping[str, Tensor], numbers: Callable[[Storage, np.dtype[Any]], Array], path: Path
) -> dict[str, Array]:
    storages: dict[str, Array] = {}
    for name, tensor in tensors.items():
        dtype = tensor.storage.kind.dtype
        if dtype is None or tensor.kind.dtype is None:
            raise unsupported(path, name, tensor.kind.name)
        if tensor.storage.key not in storages:
            storages[tensor.storage.key] = numbers(tensor.storage, dtype)
    return {name: tensor.read_from(storages[tensor.storage.key]) for name, tensor in tensors.items()}


def _cut_short(path: Path, key: str) -> ModelFileError:
    return ModelFileError(
        f"{path} is cut short or damaged: storage {key[:40]!r} is not of the size it claims. {_AGAIN}"
    )
