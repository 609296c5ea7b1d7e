"""What a model file says of its training, held against what each entry can be, before anything uses it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

MOST_LETTERS = 10_000  # of one text
DEEPEST = 24  # tables within tables


def _text(value: Any) -> bool:
    """Text that a file may be called: what no file system can spell is no name and no path."""
    if not isinstance(value, str) or "\0" in value:
        return False
    try:
        value.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _fingerprint(value: Any) -> bool:
    return isinstance(value, str)


def _whole(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _size(value: Any) -> bool:
    return type(value) is int and 1 <= value <= 2**16


def _validation(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < 2**31 and math.isfinite(value)


def _test(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < 1


def _labels(value: Any) -> bool:
    """A table's path, or the labels themselves as a `Classifier` keeps them."""
    if isinstance(value, list):
        return all(isinstance(entry, str | int | float | bool) for entry in value)
    return _text(value)


def _table(value: Any) -> bool:
    return isinstance(value, dict)


def _tables(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)


def _members(value: Any) -> bool:
    return _tables(value) and all(isinstance(text, str) for entry in value for text in entry.values())


# What may be null: not known, or not there.
_NULLS = "data kind size validation test labels fingerprint base imported_from"
MAY_BE_NULL = frozenset(_NULLS.split())
# What each entry is, in words and as a test.
ENTRIES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "data": ("a name or path", _text),
    "kind": ("a word", _text),
    "size": ("a number of pixels", _size),
    "validation": ("a share or a number of pictures", _validation),
    "test": ("a share between 0 and 1", _test),
    "labels": ("a path or a list of labels", _labels),
    "groups": ("a word", _text),
    "copies": ("a word", _text),
    "limit": ("a whole number from 0 to 2^63 - 1", _whole),
    "region": ("true or false", lambda value: isinstance(value, bool)),
    "seed": ("a whole number from 0 to 2^63 - 1", _whole),
    "fingerprint": ("text", _fingerprint),
    "base": ("a name", _text),
    "imported_from": ("a name", _text),
    "method": ("a word", _text),
    "members": ("a list of tables of texts", _members),
    "versions": ("a table", _table),
    "parameters": ("a table", _table),
    "history": ("a list of tables", _tables),
    "at": ("a table", _table),
}


def check_training(training: Mapping[str, Any]) -> None:
    """Raise ValueError that names the entry which is not what it should be; entries without a rule pass."""
    for name, value in training.items():
        words, fits = ENTRIES.get(name, ("", lambda value: True))
        if not (fits(value) or (value is None and name in MAY_BE_NULL)):
            shown = repr(value)
            shown = shown if len(shown) <= 40 else f"{shown[:37]}..."
            raise ValueError(f"of its training it says {name[:40]!r} is {shown}, where {words} belongs")
    _check_values(training, DEEPEST)


def _check_values(value: Any, deepest: int) -> None:
    """Raise ValueError for what nobody writes and programs that show it would choke on."""
    if not deepest:
        raise ValueError("what it says of its training is nested too deeply")
    if isinstance(value, str) and len(value) > MOST_LETTERS:
        raise ValueError(f"of its training it keeps a text of {len(value):,} letters")
    if type(value) is int and value.bit_length() > 128:
        raise ValueError("of its training it keeps a number of more than 128 bits")
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _check_values(name, deepest - 1)
            _check_values(inner, deepest - 1)
    elif isinstance(value, list):
        for inner in value:
            _check_values(inner, deepest - 1)
