"""Reading pickles without running them.

A pickle is a program. `pickletools` takes it apart without executing anything, and the reader here
carries out only the steps that build plain data: numbers, text, bytes, lists, tuples, dictionaries and
NumPy arrays of numbers. Every other step, and every name that is not on the list, is refused by name.
"""

from __future__ import annotations

import io
import math
import pickletools
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np

from residua.errors import DataError, ResiduaError

_KINDS = "biufc"  # booleans, integers, floats and complex numbers; never objects or records
_MARK = object()

_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUE_NAMES = """
INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING UNICODE
BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8
"""
_VALUES = frozenset(_VALUE_NAMES.split())
_EMPTY: dict[str, Callable[[], Any]] = {"EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_TUPLE": tuple}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_IGNORED = frozenset({"PROTO", "FRAME"})


class _Refusal(Exception):
    """Something in the pickle that is not plain data; its text becomes the message."""


def load_plain(
    source: bytes | BinaryIO,
    *,
    name: str = "pickle",
    error: type[ResiduaError] = DataError,
    extra: Mapping[str, Any] | None = None,
    persistent_load: Callable[[Any], Any] | None = None,
) -> Any:
    """Build the plain data that a pickle of any protocol describes, running nothing from it.

    name: the file's name, for messages. extra: further names that may occur, such as
    "collections.OrderedDict", each with what stands for it; what is callable may be called by the
    pickle. persistent_load: called with each persistent id (storages in PyTorch's files).
    Text of Python 2 is decoded as Latin-1. Attributes set on a dictionary are dropped.
    Raises `error` with one line when the pickle is cut off, damaged, or wants anything else.
    """
    reader = _Reader({**_BASIC, **(extra or {})}, persistent_load)
    stream = io.BytesIO(source) if isinstance(source, (bytes, bytearray, memoryview)) else source
    try:
        return reader.run(stream)
    except _Refusal as refusal:
        raise error(f"{name} is refused: {refusal}. Only plain numbers, text and arrays are read.") from None
    except ResiduaError:
        raise
    except MemoryError:
        raise error(f"{name} is refused: it asks for more memory than there is.") from None
    except Exception as problem:
        # Any nonsense ends here: a stack that runs empty, text that is no number, a list as a key.
        reason = " ".join(str(problem).split())[:120] or type(problem).__name__
        raise error(f"{name} is cut off or damaged ({reason}). Fetch the file again.") from problem


class _Reader:
    """The stack and the memo of one reading."""

    def __init__(self, names: Mapping[str, Any], persistent_load: Callable[[Any], Any] | None) -> None:
        self.names, self.persistent_load = names, persistent_load
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, stream: BinaryIO) -> Any:
        stack, memo = self.stack, self.memo
        argument: Any
        for opcode, argument, _ in pickletools.genops(stream):
            name = opcode.name
            if name in _VALUES:
                stack.append(argument)
            elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
                memo[argument] = stack[-1]
            elif name == "MEMOIZE":
                memo[len(memo)] = stack[-1]
            elif name in ("BINGET", "LONG_BINGET", "GET"):
                stack.append(memo[argument])
            elif name == "MARK":
                stack.append(_MARK)
            elif name == "STOP":
                break
            elif name not in _IGNORED:
                self.step(name, argument)
        result = _complete(stack.pop())
        if stack:
            raise _Refusal("values are left over at its end")
        return result

    def step(self, name: str, argument: Any) -> None:
        """Carry out one of the rarer operations."""
        stack = self.stack
        if name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _TUPLES:
            count = _TUPLES[name]
            stack[-count:] = [tuple(_complete(item) for item in stack[-count:])]
        elif name in ("TUPLE", "LIST"):
            items = self.marked()
            stack.append(tuple(items) if name == "TUPLE" else items)
        elif name == "DICT":
            stack.append(_pairs(self.marked()))
        elif name in ("APPEND", "APPENDS"):
            items = self.marked() if name == "APPENDS" else [_complete(stack.pop())]
            _expect(stack[-1], list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            if name == "SETITEM":
                items = [_complete(item) for item in stack[-2:]]
                del stack[-2:]
            else:
                items = self.marked()
            _expect(stack[-1], dict).update(_pairs(items))
        elif name == "GLOBAL":
            stack.append(self.resolve_name(".".join(argument.split(" ", 1))))
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            stack.append(self.resolve_name(f"{module}.{attribute}"))
        elif name in ("REDUCE", "NEWOBJ"):
            arguments, function = _expect(stack.pop(), tuple), stack.pop()
            if not callable(function):
                raise _Refusal("it calls something that is no function")
            stack.append(function(*arguments))
        elif name == "BUILD":
            state, target = _complete(stack.pop()), stack[-1]
            if isinstance(target, (_ArrayDraft, _TypeDraft)):
                target.build(*_expect(state, tuple))
            elif not isinstance(target, dict):
                raise _Refusal(f"it sets attributes of a {type(target).__name__}")
        elif name in ("BINPERSID", "PERSID"):
            key = _complete(stack.pop()) if name == "BINPERSID" else argument
            if self.persistent_load is None:
                raise _Refusal("it refers to data outside itself")
            stack.append(self.persistent_load(key))
        elif name == "POP":
            stack.pop()
        elif name == "POP_MARK":
            self.marked()
        elif name == "DUP":
            stack.append(stack[-1])
        else:
            raise _Refusal(f"it uses the operation {name}")

    def marked(self) -> list[Any]:
        """Take everything above the last mark off the stack."""
        stack = self.stack
        start = len(stack) - 1
        while stack[start] is not _MARK:
            start -= 1
            if start < 0:
                raise _Refusal("a mark is missing")
        items = [_complete(item) for item in stack[start + 1 :]]
        del stack[start:]
        return items

    def resolve_name(self, name: str) -> Any:
        try:
            return self.names[name]
        except KeyError:
            raise _Refusal(f"it wants to use {name[:100]!r}") from None


class _TypeDraft:
    """A NumPy number type as a pickle spells it: a code, then a byte order."""

    def __init__(self, code: Any, *_: Any) -> None:
        if not isinstance(code, str) or code.lstrip("<>|=")[:1] not in tuple(_KINDS):
            raise _Refusal(f"an array of type {str(code)[:40]!r}, not of numbers")
        try:
            self.dtype = np.dtype(code)
        except TypeError:
            raise _Refusal(f"an array of type {code[:40]!r}, not of numbers") from None
        if self.dtype.kind not in _KINDS:
            raise _Refusal(f"an array of type {code[:40]!r}, not of numbers")

    def build(self, *state: Any) -> None:
        order: Any = state[1] if len(state) > 1 else "|"
        if order not in ("<", ">", "|", "=") or any(item is not None for item in state[2:5]):
            raise _Refusal("an array of records, not of numbers")
        self.dtype = self.dtype.newbyteorder(order)


class _ArrayDraft:
    """An array between its creation and the arrival of its state (version, shape, type, order, bytes)."""

    def __init__(self, *_: Any) -> None:
        self.array: np.ndarray[Any, Any] | None = None

    def build(self, *state: Any) -> None:
        shape, kind, fortran, data = state[-4:]
        self.array = _array(data, kind, shape, "F" if fortran else "C")


def _array(data: Any, kind: Any, shape: Any, order: Any = "C") -> np.ndarray[Any, Any]:
    """Rebuild an array whose bytes must be exactly as many as its shape and type need."""
    dtype = _expect(kind, _TypeDraft).dtype
    shape = (shape,) if isinstance(shape, int) else _expect(shape, tuple)
    if not all(isinstance(side, int) and 0 <= side < 2**40 for side in shape) or len(shape) > 32:
        raise _Refusal("an array of an impossible shape")
    if isinstance(data, str):  # the byte strings of Python 2, which pickletools decodes as Latin-1
        data = data.encode("latin-1")
    if not isinstance(data, (bytes, bytearray)):
        raise _Refusal("an array without bytes")
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise _Refusal(f"an array of shape {shape} and type {dtype} with {len(data)} bytes")
    if order not in ("C", "F"):
        raise _Refusal("an array in an unknown order")
    return np.frombuffer(data, dtype).reshape(shape, order=order)


def _scalar(kind: Any, data: Any) -> Any:
    return _array(data, kind, ())[()]


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """Stand for `_codecs.encode`, as which Python 3 writes bytes into old protocols."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise _Refusal("text in an unexpected encoding")
    return text.encode("latin-1")


def _no_bytes(*arguments: Any) -> bytes:
    if arguments:
        raise _Refusal("it calls bytes()")
    return b""


_BASIC: dict[str, Any] = {
    "numpy.ndarray": "ndarray",
    "numpy.dtype": _TypeDraft,
    "_codecs.encode": _encode,
    "__builtin__.bytes": _no_bytes,
    "builtins.bytes": _no_bytes,
}
for _core in ("numpy.core", "numpy._core"):
    _BASIC[f"{_core}.multiarray._reconstruct"] = _ArrayDraft
    _BASIC[f"{_core}.multiarray.scalar"] = _scalar
    _BASIC[f"{_core}.numeric._frombuffer"] = _array


def _complete(value: Any) -> Any:
    """A draft's array, or the value itself; a mark or an array without state is refused."""
    if value is _MARK:
        raise _Refusal("a mark in place of a value")
    if isinstance(value, _ArrayDraft):
        if value.array is None:
            raise _Refusal("an array without content")
        return value.array
    return value


def _expect(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise _Refusal(f"a {type(value).__name__} where a {kind.__name__.strip('_')} belongs")
    return value


def _pairs(items: list[Any]) -> dict[Any, Any]:
    if len(items) % 2:
        raise _Refusal("a key without a value")
    return dict(zip(items[::2], items[1::2], strict=True))
