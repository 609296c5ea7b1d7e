"""Numbers, texts and lists as programs have them (NumPy's, enums, fractions, ranges), made plain ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from typing import Any


def plain(value: Any) -> Any:
    """One value as a plain bool, int, float or str, where it is one in other clothes; else the value itself.

    A NumPy scalar or an array without dimensions (of any library) is its number, a member of an enum its
    value, a fraction or decimal a whole number where it is one and a float otherwise. What files keep of it
    is then the same as if it had been typed.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Enum):
        return plain(value.value)
    if getattr(value, "ndim", None) == 0 and hasattr(value, "item") and not hasattr(value, "mask"):
        item = value.item()
        if type(item) is not type(value):  # a long double has no other
            return plain(item)
    if isinstance(value, str):
        return "".join(value)
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Real | Decimal):
        number = float(value)
        return int(number) if number.is_integer() and number == value else number
    return value


def plain_list(value: Any) -> Any:
    """As `plain`; and a list, range, array or anything else that has an order is a tuple of plain values."""
    value = plain(value)
    if isinstance(value, str | bytes | Mapping | Set) or not isinstance(value, Iterable):
        return value
    if getattr(value, "ndim", 1) == 0:
        return value
    items = tuple(map(plain, value))
    unchanged = type(value) is tuple and all(new is old for new, old in zip(items, value, strict=True))
    return value if unchanged else items


def plain_tree(value: Any) -> Any:
    """As `plain`, all the way down: what JSON can write. Paths become text, arrays lists."""
    if isinstance(value, Mapping):
        return {str(plain(key)): plain_tree(item) for key, item in value.items()}
    if hasattr(value, "__fspath__"):
        return plain(value.__fspath__())
    value = plain_list(value)
    return [plain_tree(item) for item in value] if isinstance(value, tuple) else value
