"""Reading pickles without running them.

A pickle is a program. `pickletools` takes it apart without executing anything, and the reader here
carries out only the steps that build plain data: numbers, text, bytes, lists, tuples, dictionaries and
NumPy arrays of numbers. Every other step, and every name that is not on the list, is refused by name.
"""

from __future__ import annotations

import io
import pickletools
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO

from residua.errors import DataError, ResiduaError
from residua.files.pickled_arrays import ARRAY_NAMES, ArrayDraft, Refusal, TypeDraft, expect

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


class _Unknown(Refusal):
    """A name in the pickle that is not on the list."""

    def __init__(self, name: str) -> None:
        super().__init__(f"it wants to use {name[:100]!r}")
        self.name = name


class Inert:
    """What stands for an object that nobody needs: it takes whatever it is given, and does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Drop the arguments."""


def load_plain(
    source: bytes | BinaryIO,
    *,
    name: str = "pickle",
    error: type[ResiduaError] = DataError,
    extra: Mapping[str, Any] | None = None,
    persistent_load: Callable[[Any], Any] | None = None,
    explain: Callable[[str], str | None] | None = None,
) -> Any:
    """Build the plain data that a pickle of any protocol describes, running nothing from it.

    name: the file's name, for messages. extra: further names that may occur, such as
    "collections.OrderedDict", each with what stands for it; what is callable may be called by the
    pickle. persistent_load: called with each persistent id (storages in PyTorch's files). explain: what to
    say instead of a refusal about a name that is not listed, None where nothing is known of it.
    Text of Python 2 is decoded as Latin-1. Attributes set on a dictionary are dropped.
    Raises `error` with one line when the pickle is cut off, damaged, or wants anything else.
    """
    reader = _Reader({**ARRAY_NAMES, **(extra or {})}, persistent_load, explain is not None)
    stream = io.BytesIO(source) if isinstance(source, (bytes, bytearray, memoryview)) else source
    try:
        return reader.run(stream)
    except _Unknown as unknown:
        if explain is not None and (text := explain(unknown.name)):
            raise error(f"{name} {text}") from None
        raise error(f"{name} is refused: {unknown}. Only plain numbers, text and arrays are read.") from None
    except Refusal as refusal:
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

    def __init__(
        self, names: Mapping[str, Any], persistent_load: Callable[[Any], Any] | None, lenient: bool
    ) -> None:
        self.names, self.persistent_load, self.lenient = names, persistent_load, lenient
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def run(self, stream: BinaryIO) -> Any:
        stack, memo = self.stack, self.memo
        argument: Any
        for opcode, argument in _operations(stream):
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
            raise Refusal("values are left over at its end")
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
            if not isinstance(stack[-1], Inert):
                expect(stack[-1], list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            if name == "SETITEM":
                items = [_complete(item) for item in stack[-2:]]
                del stack[-2:]
            else:
                items = self.marked()
            if not isinstance(stack[-1], Inert):
                expect(stack[-1], dict).update(_pairs(items))
        elif name == "GLOBAL":
            stack.append(self.resolve_name(".".join(argument.split(" ", 1))))
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            stack.append(self.resolve_name(f"{module}.{attribute}"))
        elif name in ("EMPTY_SET", "FROZENSET", "ADDITEMS") and self.lenient:
            if name != "EMPTY_SET":
                self.marked()
            if name != "ADDITEMS":
                stack.append(Inert())
        elif name in ("REDUCE", "NEWOBJ", "NEWOBJ_EX"):
            if name == "NEWOBJ_EX":  # its keyword arguments
                expect(_complete(stack.pop()), dict)
            arguments, function = expect(stack.pop(), tuple), stack.pop()
            if not callable(function):
                raise Refusal("it calls something that is no function")
            stack.append(function(*arguments))
        elif name == "BUILD":
            state, target = _complete(stack.pop()), stack[-1]
            if isinstance(target, (ArrayDraft, TypeDraft)):
                target.build(*expect(state, tuple))
            elif not isinstance(target, (dict, Inert)):
                raise Refusal(f"it sets attributes of a {type(target).__name__}")
        elif name in ("BINPERSID", "PERSID"):
            key = _complete(stack.pop()) if name == "BINPERSID" else argument
            if self.persistent_load is None:
                raise Refusal("it refers to data outside itself")
            stack.append(self.persistent_load(key))
        elif name == "POP":
            stack.pop()
        elif name == "POP_MARK":
            self.marked()
        elif name == "DUP":
            stack.append(stack[-1])
        else:
            raise Refusal(f"it uses the operation {name}")

    def marked(self) -> list[Any]:
        """Take everything above the last mark off the stack."""
        stack = self.stack
        start = len(stack) - 1
        while stack[start] is not _MARK:
            start -= 1
            if start < 0:
                raise Refusal("a mark is missing")
        items = [_complete(item) for item in stack[start + 1 :]]
        del stack[start:]
        return items

    def resolve_name(self, name: str) -> Any:
        try:
            return self.names[name]
        except KeyError:
            raise _Unknown(name) from None


def _complete(value: Any) -> Any:
    """A draft's array, or the value itself; a mark or an array without state is refused."""
    if value is _MARK:
        raise Refusal("a mark in place of a value")
    if isinstance(value, ArrayDraft):
        if value.array is None:
            raise Refusal("an array without content")
        return value.array
    return value


def _pairs(items: list[Any]) -> dict[Any, Any]:
    if len(items) % 2:
        raise Refusal("a key without a value")
    return dict(zip(items[::2], items[1::2], strict=True))


def _operations(stream: BinaryIO) -> Iterator[tuple[pickletools.OpcodeInfo, Any]]:
    """Each operation and its argument; texts with unknown escapes are the file's, and warn nobody."""
    operations = pickletools.genops(stream)
    while True:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            following = next(operations, None)
        if following is None:
            return
        yield following[0], following[1]
