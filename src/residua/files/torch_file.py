"""Weights that PyTorch wrote, read without PyTorch and without running anything from the file.

Since version 1.6 a .pth, .pt or .th file is a zip archive with a pickle of the tree and a raw file for
each storage; before, it was a row of pickles followed by the storages. Both pickles are read through the
allow-list of `residua.files.unpickle`. A .safetensors file is read as it is.
"""

from __future__ import annotations

import math
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from residua.errors import ModelFileError
from residua.files.regular import require_file
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
REPEATED = 1_000_000
_AGAIN = "Fetch the file again."
_LEGACY_MAGIC, _LEGACY_VERSION = 0x1950A86A20F9469CFC6C, 1001


# What the zip library and NumPy raise over nonsense; RuntimeError is an archive with a password.
_DAMAGE: tuple[type[Exception], ...] = (
    *(zipfile.BadZipFile, LookupError, EOFError, TypeError, ValueError, ArithmeticError, RuntimeError),
    *(struct.error, zlib.error, MemoryError),
)


@dataclass(frozen=True)
class _Storage:
    """What a pickle says of a storage."""

    kind: np.dtype[Any]
    key: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    """A tensor before its storage has been read."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def read_from(self, numbers: Array) -> Array:
        """The tensor out of its storage, inside of which every element must lie."""
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        negative = min([self.offset, *self.shape, *self.strides]) < 0
        size = math.prod(self.shape)
        if negative or (size and last >= numbers.size):
            raise ModelFileError("a tensor in the file reaches outside of its storage")
        # A stride of zero repeats numbers: a small storage could claim to be any amount of memory.
        if size > max(numbers.size, REPEATED):
            raise ModelFileError(f"a tensor in the file claims {size:,} numbers out of {numbers.size:,}")
        view = np.lib.stride_tricks.as_strided(
            numbers[self.offset :], self.shape, [s * numbers.itemsize for s in self.strides], writeable=False
        )
        return np.ascontiguousarray(view).reshape(self.shape)


def read_torch_weights(path: str | Path) -> dict[str, Array]:
    """{name: array} of the weights in a .pth, .pt, .th or .safetensors file.

    A checkpoint that keeps its weights under "state_dict" or "model" gives those; "module.", which
    training on several devices puts in front of every name, is taken off. Raises ModelFileError.
    """
    path = Path(path)
    require_file(path, ModelFileError)
    try:
        if zipfile.is_zipfile(path):
            return _read_archive(path)
        with open(path, "rb") as stream:
            start = stream.read(2)
            if start == b"PK":  # a zip archive, whose table stands at its end
                raise ModelFileError(f"{path} is cut short or damaged. {_AGAIN}")
            if start == b"\x80\x02":
                stream.seek(0)
                return _read_legacy(stream, path)
    except ModelFileError as error:
        raise error if str(path) in str(error) else ModelFileError(f"{path} is refused: {error}") from None
    except OSError as error:
        raise ModelFileError(f"cannot read {path}: {error.strerror or error}") from None
    except _DAMAGE as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise ModelFileError(f"{path} is damaged: {reason}. {_AGAIN}") from None
    return _read_safetensors(path)


def _read_safetensors(path: Path) -> dict[str, Array]:
    from safetensors import SafetensorError, safe_open

    check_header(path)
    try:
        with safe_open(str(path), framework="numpy") as stored:
            arrays = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, ValueError, TypeError, AttributeError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise ModelFileError(
            f"{path} is damaged, or neither a PyTorch archive nor safetensors: {reason}. {_AGAIN}"
        ) from None
    return {name.removeprefix("module."): array for name, array in arrays.items()}


def _read_archive(path: Path) -> dict[str, Array]:
    """A zip archive: <name>/data.pkl and <name>/data/<key>."""
    with zipfile.ZipFile(path) as archive:
        pickles = [name for name in archive.namelist() if name.endswith("data.pkl")]
        if len(pickles) != 1:
            raise ModelFileError(f"{path} is a zip archive, but not one that PyTorch wrote")
        prefix = pickles[0].removesuffix("data.pkl")

        def content(name: str) -> bytes:
            entry = archive.getinfo(prefix + name)
            # PyTorch stores without compression: what would swell while it is read is not its work.
            if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
                raise ModelFileError(f"{path} is refused: {name} in it is compressed, not as PyTorch writes")
            return archive.read(entry)

        if f"{prefix}byteorder" in archive.namelist() and content("byteorder") != b"little":
            raise ModelFileError(
                f"{path} is refused: its numbers lie big end first; save it on another machine"
            )
        tensors = _named_tensors(_unpickle(content("data.pkl"), path), path)

        def numbers(storage: _Storage) -> Array:
            raw = content(f"data/{storage.key}")
            if len(raw) < storage.count * storage.kind.itemsize:
                raise ModelFileError(f"{path} is damaged: storage {storage.key} is not of the size it claims")
            return np.frombuffer(raw, storage.kind, storage.count)

        return _read_tensors(tensors, numbers)


def _read_legacy(stream: BinaryIO, path: Path) -> dict[str, Array]:
    """Before 1.6: magic number, version, system, tree, keys; then count and numbers for every key."""
    if _unpickle(stream, path) != _LEGACY_MAGIC or _unpickle(stream, path) != _LEGACY_VERSION:
        raise ModelFileError(f"{path} is a pickle, but not one of PyTorch's files of weights")
    _unpickle(stream, path)
    tensors = _named_tensors(_unpickle(stream, path), path)
    wanted = {tensor.storage.key: tensor.storage for tensor in tensors.values()}
    storages: dict[str, Array] = {}
    for key in _unpickle(stream, path):
        count = int.from_bytes(stream.read(8), "little")
        if key not in wanted or count != wanted[key].count:
            raise ModelFileError(f"{path} is damaged: storage {key} is not of the size it claims")
        raw = stream.read(count * wanted[key].kind.itemsize)
        storages[key] = np.frombuffer(raw, wanted[key].kind, count)
    return _read_tensors(tensors, lambda storage: storages[storage.key])


def _read_tensors(tensors: Mapping[str, _Tensor], numbers: Callable[[_Storage], Array]) -> dict[str, Array]:
    storages: dict[str, Array] = {}
    for tensor in tensors.values():
        if tensor.storage.key not in storages:
            storages[tensor.storage.key] = numbers(tensor.storage)
    return {name: tensor.read_from(storages[tensor.storage.key]) for name, tensor in tensors.items()}


def _unpickle(source: bytes | BinaryIO, path: Path) -> Any:
    names: dict[str, Any] = {f"torch.{name}": kind for name, kind in _STORAGES.items()}
    names["collections.OrderedDict"] = dict
    names["torch._utils._rebuild_tensor"] = names["torch._utils._rebuild_tensor_v2"] = _tensor_of
    names["torch._utils._rebuild_parameter"] = lambda data, *_: data
    return load_plain(source, name=str(path), error=ModelFileError, extra=names, persistent_load=_storage_of)


def _storage_of(identity: Any) -> _Storage:
    word, kind, key, _, count, *_ = identity
    if word != "storage" or not isinstance(kind, np.dtype) or not isinstance(count, int) or count < 0:
        raise ModelFileError(f"the file refers to something that is not a storage: {word!r}")
    return _Storage(kind, str(key), count)


def _tensor_of(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Tensor:
    if not isinstance(storage, _Storage) or len(shape) != len(strides):
        raise ModelFileError("a tensor in the file does not refer to a storage")
    return _Tensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))


def _named_tensors(tree: Any, path: Path) -> dict[str, _Tensor]:
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(tree, Mapping) and isinstance(tree.get(key), Mapping):
            tree = tree[key]
    entries = tree.items() if isinstance(tree, Mapping) else ()
    tensors = {
        str(name).removeprefix("module."): entry for name, entry in entries if isinstance(entry, _Tensor)
    }
    if not tensors:
        raise ModelFileError(f"{path} holds no named weights: save a network's state_dict() in it")
    return tensors
