"""NumPy's arrays as pickles spell them: drafts that become arrays of numbers, of their own bytes alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_KINDS = "biufc"  # booleans, integers, floats and complex numbers; never objects or records


class Refusal(Exception):
    """Something in the pickle that is not plain data; its text becomes the message."""


class TypeDraft:
    """A NumPy number type as a pickle spells it: a code, then a byte order."""

    def __init__(self, code: Any, *_: Any) -> None:
        if not isinstance(code, str) or code.lstrip("<>|=")[:1] not in tuple(_KINDS):
            raise Refusal(f"an array of type {str(code)[:40]!r}, not of numbers")
        try:
            self.dtype = np.dtype(code)
        except TypeError:
            raise Refusal(f"an array of type {code[:40]!r}, not of numbers") from None
        if self.dtype.kind not in _KINDS:
            raise Refusal(f"an array of type {code[:40]!r}, not of numbers")

    def build(self, *state: Any) -> None:
        """Take the byte order; what belongs to records is refused."""
        order: Any = state[1] if len(state) > 1 else "|"
        if order not in ("<", ">", "|", "=") or any(item is not None for item in state[2:5]):
            raise Refusal("an array of records, not of numbers")
        self.dtype = self.dtype.newbyteorder(order)


class ArrayDraft:
    """An array between its creation and the arrival of its state (version, shape, type, order, bytes)."""

    def __init__(self, *_: Any) -> None:
        self.array: np.ndarray[Any, Any] | None = None

    def build(self, *state: Any) -> None:
        """Become the array that the state describes."""
        shape, kind, fortran, data = state[-4:]
        self.array = _array(data, kind, shape, "F" if fortran else "C")


def _array(data: Any, kind: Any, shape: Any, order: Any = "C") -> np.ndarray[Any, Any]:
    """Rebuild an array whose bytes must be exactly as many as its shape and type need."""
    dtype = expect(kind, TypeDraft).dtype
    shape = (shape,) if isinstance(shape, int) else expect(shape, tuple)
    if not all(isinstance(side, int) and 0 <= side < 2**40 for side in shape) or len(shape) > 32:
        raise Refusal("an array of an impossible shape")
    if isinstance(data, str):  # the byte strings of Python 2, which pickletools decodes as Latin-1
        data = data.encode("latin-1")
    if not isinstance(data, (bytes, bytearray)):
        raise Refusal("an array without bytes")
    if len(data) != math.prod(shape) * dtype.itemsize:
        raise Refusal(f"an array of shape {shape} and type {dtype} with {len(data)} bytes")
    if order not in ("C", "F"):
        raise Refusal("an array in an unknown order")
    return np.frombuffer(data, dtype).reshape(shape, order=order)


def _scalar(kind: Any, data: Any) -> Any:
    return _array(data, kind, ())[()]


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """Stand for `_codecs.encode`, as which Python 3 writes bytes into old protocols."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise Refusal("text in an unexpected encoding")
    return text.encode("latin-1")


def _no_bytes(*arguments: Any) -> bytes:
    if arguments:
        raise Refusal("it calls bytes()")
    return b""


ARRAY_NAMES: dict[str, Any] = {
    "numpy.ndarray": "ndarray",
    "numpy.dtype": TypeDraft,
    "_codecs.encode": _encode,
    "__builtin__.bytes": _no_bytes,
    "builtins.bytes": _no_bytes,
}
for _core in ("numpy.core", "numpy._core"):
    ARRAY_NAMES[f"{_core}.multiarray._reconstruct"] = ArrayDraft
    ARRAY_NAMES[f"{_core}.multiarray.scalar"] = _scalar
    ARRAY_NAMES[f"{_core}.numeric._frombuffer"] = _array


def expect(value: Any, kind: type) -> Any:
    """The value, which must be of that class. Raises Refusal."""
    if not isinstance(value, kind):
        raise Refusal(f"a {type(value).__name__} where a {kind.__name__.strip('_')} belongs")
    return value
