"""The pickle in a file that PyTorch wrote: a tree of plain values and of tensors whose numbers lie elsewhere.

Read through the allow-list of `residua.files.unpickle`, to which it adds the few names that describe tensors,
and those of what stands beside weights in a checkpoint, which becomes a placeholder.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from residua.errors import ModelFileError
from residua.files.safetensors_file import widen_bfloat16
from residua.files.unpickle import Inert, load_plain

Array = NDArray[Any]

REPEATED = 1_000_000
# Number types by PyTorch's names: how they lie in a storage; None for those that NumPy does not have.
BFLOAT16 = "bfloat16"
TYPES: dict[str, np.dtype[Any] | None] = {
    "float32": np.dtype("<f4"),
    "float64": np.dtype("<f8"),
    "float16": np.dtype("<f2"),
    BFLOAT16: np.dtype("<u2"),
    "int64": np.dtype("<i8"),
    "int32": np.dtype("<i4"),
    "int16": np.dtype("<i2"),
    "int8": np.dtype("i1"),
    "uint8": np.dtype("u1"),
    "uint16": np.dtype("<u2"),
    "uint32": np.dtype("<u4"),
    "uint64": np.dtype("<u8"),
    "bool": np.dtype("?"),
    "complex64": np.dtype("<c8"),
    "complex128": np.dtype("<c16"),
}
_OTHERS = """
complex32 float8_e4m3fn float8_e4m3fnuz float8_e5m2 float8_e5m2fnuz float8_e8m0fnu float4_e2m1fn_x2
qint8 qint32 quint8 quint4x2 quint2x4 bits8 bits16
"""
TYPES |= dict.fromkeys(_OTHERS.split())
_STORAGES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
    "HalfStorage": "float16",
    "BFloat16Storage": BFLOAT16,
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "QInt8Storage": "qint8",
    "QInt32Storage": "qint32",
    "QUInt8Storage": "quint8",
    "QUInt4x2Storage": "quint4x2",
    "QUInt2x4Storage": "quint2x4",
    "UntypedStorage": "bytes",
    "storage.UntypedStorage": "bytes",
}
# What checkpoints hold beside weights; nothing of it is needed, and none of it is made.
_BESIDE = """
argparse.Namespace types.SimpleNamespace collections.Counter collections.defaultdict collections.deque
datetime.datetime datetime.timedelta datetime.date pathlib.Path pathlib.PosixPath pathlib.WindowsPath
pathlib._local.PosixPath pathlib._local.WindowsPath builtins.set builtins.frozenset builtins.complex
builtins.slice builtins.range builtins.int builtins.float builtins.str builtins.bool builtins.list
builtins.dict builtins.tuple builtins.bytearray
__builtin__.set __builtin__.frozenset __builtin__.complex __builtin__.int __builtin__.long __builtin__.float
__builtin__.str __builtin__.unicode __builtin__.bool __builtin__.list __builtin__.dict __builtin__.object
builtins.object copyreg._reconstructor copy_reg._reconstructor uuid.UUID enum.Enum fractions.Fraction
decimal.Decimal torch.device torch.Size torch.layout torch.strided torch.contiguous_format
torch.channels_last torch.memory_format torch.serialization._get_layout torch.Generator
torch._C.Generator numpy.random._pickle.__randomstate_ctor numpy.random._pickle.__generator_ctor
numpy.random._pickle.__bit_generator_ctor
omegaconf.dictconfig.DictConfig omegaconf.listconfig.ListConfig omegaconf.base.ContainerMetadata
omegaconf.base.Metadata omegaconf.nodes.AnyNode typing.Any easydict.EasyDict yacs.config.CfgNode
"""
# Whole modules in which no class of a network lives: a name out of them is an attempt to run something.
_ATTEMPTS = """
os posix nt subprocess commands sys builtins __builtin__ io pickle _pickle cPickle shutil socket importlib
runpy code codeop ctypes marshal multiprocessing pty webbrowser operator functools torch.hub
torch.serialization torch.storage numpy numpy.core.multiarray
"""
_DANGEROUS = frozenset(_ATTEMPTS.split())


@dataclass(frozen=True)
class NumberType:
    """A number type by PyTorch's name; dtype: how NumPy reads it, None where it cannot."""

    name: str

    @property
    def dtype(self) -> np.dtype[Any] | None:
        """How NumPy reads it."""
        return np.dtype("u1") if self.name == "bytes" else TYPES[self.name]


@dataclass(frozen=True)
class Storage:
    """What a pickle says of a storage: `count` numbers of a type, in the file under `key`."""

    kind: NumberType
    key: str
    count: int


@dataclass(frozen=True)
class Tensor:
    """A tensor before its storage has been read; kind: its own number type, where the storage has bytes."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    kind: NumberType

    def read_from(self, numbers: Array) -> Array:
        """The tensor out of its storage, inside of which every element must lie."""
        dtype = self.kind.dtype
        assert dtype is not None
        if numbers.dtype != dtype:  # a storage of bytes
            numbers = numbers[: numbers.size // dtype.itemsize * dtype.itemsize].view(dtype)
        last = self.offset + sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        negative = min([self.offset, *self.shape, *self.strides]) < 0
        size = math.prod(self.shape)
        if negative or (size and last >= numbers.size):
            raise ModelFileError("a tensor in the file reaches outside of its storage")
        # A stride of zero repeats numbers: a small storage could claim to be any amount of memory.
        if size > max(numbers.size, REPEATED):
            raise ModelFileError(f"a tensor in the file claims {size:,} numbers out of {numbers.size:,}")
        if not size:
            return np.zeros(self.shape, np.float32 if self.kind.name == BFLOAT16 else dtype)
        view = np.lib.stride_tricks.as_strided(
            numbers[self.offset :], self.shape, [s * numbers.itemsize for s in self.strides], writeable=False
        )
        whole = np.ascontiguousarray(view).reshape(self.shape)
        return widen_bfloat16(whole) if self.kind.name == BFLOAT16 else whole


def unpickle(source: bytes | BinaryIO, path: Path, described: dict[str, Storage] | None = None) -> Any:
    """The tree that a pickle describes, its tensors as `Tensor`. Raises ModelFileError.

    described: takes every storage that the pickle speaks of, by its key.
    """

    def storage_of(identity: Any) -> Storage:
        storage = _storage_of(identity)
        if described is not None:
            described[storage.key] = storage
        return storage

    return load_plain(
        source,
        name=str(path),
        error=ModelFileError,
        extra=_NAMES,
        persistent_load=storage_of,
        explain=_explain,
    )


def _explain(name: str) -> str | None:
    """What a name that is not on the list means, where it is no attempt to run something."""
    module = name.rpartition(".")[0]
    if name.startswith("__torch__."):
        return "is a TorchScript program: save its network's state_dict() with torch.save, and import that"
    if not module or module in _DANGEROUS or module.split(".")[0] in _DANGEROUS:
        return None
    return (
        f"needs the class {name[:100]!r} of the program that wrote it: load it there, save the network's "
        "state_dict() with torch.save, and import that"
    )


def _storage_of(identity: Any) -> Storage:
    word, kind, key, _, count, *_ = identity
    fits = isinstance(kind, NumberType) and type(count) is int and 0 <= count < 2**48
    if word != "storage" or not fits or not isinstance(key, str | int):
        raise ModelFileError(f"the file refers to something that is not a storage: {str(word)[:60]!r}")
    return Storage(kind, str(key), count)


def _tensor_of(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
    if not isinstance(storage, Storage) or len(shape) != len(strides) or len(shape) > 32:
        raise ModelFileError("a tensor in the file does not refer to a storage")
    return Tensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)), storage.kind)


def _typed_tensor_of(
    storage: Any, offset: Any, shape: Any, strides: Any, _: Any, hooks: Any, kind: Any, *rest: Any
) -> Tensor:
    tensor = _tensor_of(storage, offset, shape, strides)
    if not isinstance(kind, NumberType):
        raise ModelFileError("a tensor in the file has no type of numbers")
    return Tensor(tensor.storage, tensor.offset, tensor.shape, tensor.strides, kind)


def _quantized_tensor_of(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> Tensor:
    return _tensor_of(storage, offset, shape, strides)


def _first(data: Any, *_: Any) -> Any:
    return data


def _make_names() -> dict[str, Any]:
    names: dict[str, Any] = dict.fromkeys(_BESIDE.split(), Inert)
    names |= {f"torch.{storage}": NumberType(kind) for storage, kind in _STORAGES.items()}
    names |= {f"torch.{kind}": NumberType(kind) for kind in TYPES}
    names["collections.OrderedDict"] = _ordered
    names["torch._utils._rebuild_tensor"] = names["torch._utils._rebuild_tensor_v2"] = _tensor_of
    names["torch._utils._rebuild_tensor_v3"] = _typed_tensor_of
    names["torch._utils._rebuild_qtensor"] = _quantized_tensor_of
    names["torch._utils._rebuild_parameter"] = names["torch._utils._rebuild_parameter_with_state"] = _first
    return names


def _ordered(pairs: Any = ()) -> dict[Any, Any]:
    """Stand for OrderedDict, which protocols before 2 fill when they make it."""
    return dict(pairs)


_NAMES = _make_names()
