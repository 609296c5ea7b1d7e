"""WebAssembly's text format to its bytes: as much of it as the page's kernel is written in.

Instructions are folded: (i32.add (local.get $a) (i32.const 1)). The formats are those of the WebAssembly Core
Specification 2.0 (2022), sections 5 (binary) and 6 (text). The page needs no tool but this to be made.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from residua.errors import ResiduaError

Expression = list[Any]  # of names, and of expressions

_TOKEN = re.compile(r';;[^\n]*|[()]|"[^"]*"|[^\s();]+')
_TYPES = {"i32": 0x7F, "f32": 0x7D, "v128": 0x7B}
_MEMORY, _LOOP, _EMPTY, _END, _SIMD = 0x02, 0x03, 0x40, 0x0B, 0xFD
# Instructions without immediates, by section 5.4; those of vectors follow a prefix.
_PLAIN = {
    "select": 0x1B,
    "i32.lt_u": 0x49,
    "i32.add": 0x6A,
    "i32.sub": 0x6B,
    "i32.mul": 0x6C,
    "i32.div_u": 0x6E,
    "i32.rem_u": 0x70,
    "i32.shl": 0x74,
}
_VECTOR = {"f32x4.splat": 0x13, "f32x4.add": 0xE4, "f32x4.mul": 0xE6, "f32x4.pmax": 0xEB}
# Code and the logarithm of the alignment that is promised: that of the numbers, 4 bytes.
_MEMORY_ACCESS = {"v128.load": (0x00, 2), "v128.load32_splat": (0x09, 2), "v128.store": (0x0B, 2)}
_LOCALS = {"local.get": 0x20, "local.set": 0x21, "local.tee": 0x22}


def assemble(text: str) -> bytes:
    """The bytes of a module: (module (import ... (memory 1)) (func ...) ...).

    Raises ResiduaError for what this assembler does not know.
    """
    module = _parse(text)
    imports = [entry for entry in module[1:] if entry[0] == "import"]
    functions = [_read_function(entry) for entry in module[1:] if entry[0] == "func"]
    if len(imports) + len(functions) != len(module) - 1:
        raise ResiduaError("a module holds imports and functions, and nothing else")
    indices = {function.name: index for index, function in enumerate(functions)}
    types = [
        b"\x60" + _types(function.parameters.values()) + _types(function.results) for function in functions
    ]
    memories = [
        _text(entry[1]) + _text(entry[2]) + bytes([_MEMORY, 0]) + _leb(int(entry[3][1])) for entry in imports
    ]
    exports = [
        _text(function.export) + b"\x00" + _leb(index)
        for index, function in enumerate(functions)
        if function.export is not None
    ]
    sections = [
        (1, _vector(types)),
        (2, _vector(memories)),
        (3, _vector([_leb(index) for index in range(len(functions))])),
        (7, _vector(exports)),
        (10, _vector([_code(function, indices) for function in functions])),
    ]
    content = b"".join(bytes([number]) + _sized(body) for number, body in sections)
    return b"\0asm" + struct.pack("<I", 1) + content


@dataclass
class _Function:
    """A function as it was read; names are those of the text, with their $."""

    name: str = ""
    export: str | None = None
    parameters: dict[str, str] = field(default_factory=dict)
    locals: dict[str, str] = field(default_factory=dict)
    results: list[str] = field(default_factory=list)
    body: list[Expression] = field(default_factory=list)


def _parse(text: str) -> Expression:
    """The one expression that a text holds."""
    outermost: Expression = []
    open_lists = [outermost]
    for token in _TOKEN.findall(text):
        if token.startswith(";;"):
            continue
        if token == "(":
            inner: Expression = []
            open_lists[-1].append(inner)
            open_lists.append(inner)
        elif token == ")":
            open_lists.pop()
            if not open_lists:
                raise ResiduaError("a module closes more brackets than it opens")
        else:
            open_lists[-1].append(token)
    if len(open_lists) != 1 or len(outermost) != 1 or outermost[0][:1] != ["module"]:
        raise ResiduaError("a text holds one module, whose brackets are all closed")
    module: Expression = outermost[0]
    return module


def _read_function(expression: Expression) -> _Function:
    function = _Function()
    for part in expression[1:]:
        if isinstance(part, str):
            function.name = part
        elif part[0] == "export":
            function.export = part[1]
        elif part[0] in ("param", "local"):
            names = function.parameters if part[0] == "param" else function.locals
            names[part[1]] = part[2]
        elif part[0] == "result":
            function.results.append(part[1])
        else:
            function.body.append(part)
    return function


def _code(function: _Function, indices: dict[str, int]) -> bytes:
    """The locals and instructions of a function, behind their length."""
    names = {name: index for index, name in enumerate([*function.parameters, *function.locals])}
    declared = [_leb(1) + bytes([_TYPES[kind]]) for kind in function.locals.values()]
    writer = _Writer(names, indices)
    for expression in function.body:
        writer.write(expression)
    return _sized(_vector(declared) + bytes(writer.content) + bytes([_END]))


class _Writer:
    """Instructions one after the other; `labels` are those of the loops around, the innermost last."""

    def __init__(self, names: dict[str, int], functions: dict[str, int]) -> None:
        self.names, self.functions = names, functions
        self.labels: list[str] = []
        self.content = bytearray()

    def write(self, expression: Expression) -> None:
        """The operands of an instruction, then itself."""
        name = expression[0]
        immediates = [part for part in expression[1:] if isinstance(part, str)]
        operands = [part for part in expression[1:] if not isinstance(part, str)]
        if name == "loop":
            self.content += bytes([_LOOP, _EMPTY])
            self.labels.append(immediates[0])
            for operand in operands:
                self.write(operand)
            self.labels.pop()
            self.content.append(_END)
            return
        for operand in operands:
            self.write(operand)
        self.content += self._instruction(name, immediates)

    def _instruction(self, name: str, immediates: list[str]) -> bytes:
        try:
            if name in _PLAIN:
                return bytes([_PLAIN[name]])
            if name in _VECTOR:
                return bytes([_SIMD]) + _leb(_VECTOR[name])
            if name in _MEMORY_ACCESS:
                code, alignment = _MEMORY_ACCESS[name]
                offset = int(immediates[0].removeprefix("offset=")) if immediates else 0
                return bytes([_SIMD]) + _leb(code) + _leb(alignment) + _leb(offset)
            if name in _LOCALS:
                return bytes([_LOCALS[name]]) + _leb(self.names[immediates[0]])
            if name == "br_if":
                return b"\x0d" + _leb(len(self.labels) - 1 - self.labels.index(immediates[0]))
            if name == "call":
                return b"\x10" + _leb(self.functions[immediates[0]])
            if name == "i32.const":
                return b"\x41" + _signed_leb(int(immediates[0]))
            if name == "f32.const":
                return b"\x43" + struct.pack("<f", float(immediates[0]))
        except (LookupError, ValueError):
            raise ResiduaError(f"the instruction {name} {' '.join(immediates)} cannot be read") from None
        raise ResiduaError(f"there is no instruction {name} in this assembler")


def _types(kinds: Iterable[str]) -> bytes:
    return _vector([bytes([_TYPES[kind]]) for kind in kinds])


def _text(quoted: str) -> bytes:
    return _sized(quoted.strip('"').encode())


def _sized(content: bytes) -> bytes:
    return _leb(len(content)) + content


def _vector(parts: list[bytes]) -> bytes:
    return _leb(len(parts)) + b"".join(parts)


def _leb(number: int) -> bytes:
    """An unsigned number in groups of seven bits, the lowest first (LEB128)."""
    groups = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        groups.append(low | (0x80 if number else 0))
        if not number:
            return bytes(groups)


def _signed_leb(number: int) -> bytes:
    """A number that may be negative; the highest bit of the last group is its sign."""
    groups = bytearray()
    while True:
        number, low = number >> 7, number & 0x7F
        done = number == (-1 if low & 0x40 else 0)
        groups.append(low | (0 if done else 0x80))
        if done:
            return bytes(groups)
