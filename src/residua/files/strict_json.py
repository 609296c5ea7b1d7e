"""JSON as a file from a stranger is read: finite numbers, no key twice, nothing that Python chokes on."""

from __future__ import annotations

import json
import math
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """The value that a JSON text holds; what Python's own parser takes beyond JSON is refused.

    Raises ValueError, in one line, for anything that is no JSON, for NaN, infinities and numbers beyond
    float64, for a key that occurs twice in one object, and for nesting beyond what can be read.
    """
    try:
        return json.loads(
            text, parse_constant=_constant, parse_float=_number, object_pairs_hook=_without_repetition
        )
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise ValueError("it is no text in UTF-8") from None


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is no number in JSON")


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:30]} is too large")
    return number


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {twice[:60]!r} occurs twice")
    return table
