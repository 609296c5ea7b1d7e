"""PyTorch's files made without PyTorch: pickles of tensors, in an archive or as a row."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np


class _Global:
    """A name that a pickle asks for."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class _Storage:
    def __init__(self, kind: str, key: str, count: int) -> None:
        self.identity = ("storage", _Global("torch", kind), key, "cpu", count)


class _Call:
    def __init__(self, function: _Global, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments


class _Pickler(pickle._Pickler):  # type: ignore[name-defined]
    """The pickler in Python, which can be told how to write names."""

    def persistent_id(self, value: Any) -> Any:
        """Storages lie outside."""
        if isinstance(value, _Storage):
            return value.identity[:5] + ((None,) if self.legacy else ())
        return None

    legacy = False

    def save(self, value: Any, save_persistent_id: bool = True) -> None:
        """Names and calls in the pickle's own words."""
        if isinstance(value, _Global):
            self.write(b"c" + f"{value.module}\n{value.name}\n".encode())
        elif isinstance(value, _Call):
            self.save(value.function)
            self.save(value.arguments)
            self.write(b"R")
        else:
            super().save(value, save_persistent_id)


STORAGES = {
    "f4": "FloatStorage",
    "f2": "HalfStorage",
    "f8": "DoubleStorage",
    "i8": "LongStorage",
    "u2": "BFloat16Storage",
}


def _tree(arrays: Mapping[str, Any], around: bool) -> tuple[Any, dict[str, bytes]]:
    tree, storages = {}, {}
    for number, (name, array) in enumerate(arrays.items()):
        key = str(number)
        storage = _Storage(STORAGES[array.dtype.str[1:]], key, array.size)
        strides = tuple(step // array.itemsize for step in array.strides)
        rebuild = _Global("torch._utils", "_rebuild_tensor_v2")
        hooks = _Call(_Global("collections", "OrderedDict"))
        tree[name] = _Call(rebuild, storage, 0, array.shape, strides, False, hooks)
        storages[key] = array.tobytes()
    return ({"state_dict": tree, "epoch": 3, "args": [None, True, 0.5, "x"]} if around else tree), storages


def pickled(tree: Any, protocol: int = 2, legacy: bool = False) -> bytes:
    """A pickle of a tree with such tensors in it."""
    stream = io.BytesIO()
    pickler = _Pickler(stream, protocol)
    pickler.legacy = legacy
    pickler.dump(tree)
    return stream.getvalue()


def torch_archive(arrays: Mapping[str, Any], around: bool = False) -> bytes:
    """A .pth as PyTorch writes it since 1.6."""
    tree, storages = _tree(arrays, around)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("w/data.pkl", pickled(tree))
        archive.writestr("w/byteorder", b"little")
        for key, data in storages.items():
            archive.writestr(f"w/data/{key}", data)
        archive.writestr("w/version", b"3\n")
    return stream.getvalue()


def torch_row(arrays: Mapping[str, Any], around: bool = False) -> bytes:
    """A .th as PyTorch wrote it before 1.6."""
    tree, storages = _tree(arrays, around)
    parts = [pickled(0x1950A86A20F9469CFC6C), pickled(1001), pickled({"little_endian": True})]
    parts += [pickled(tree, legacy=True), pickled(sorted(storages))]
    for key in sorted(storages):
        size = np.dtype("f4").itemsize
        for name, array in zip(storages, arrays.values(), strict=True):
            if name == key:
                size = array.itemsize
        parts.append((len(storages[key]) // size).to_bytes(8, "little") + storages[key])
    return b"".join(parts)
