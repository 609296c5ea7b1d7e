"""Networks as plain data (dictionaries, lists, numbers, strings) and back: how a model file keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from residua.errors import ModelFileError, near
from residua.layers.base import ADDED_LATER, Layer
from residua.layers.registry import LAYERS

# Of any size or number in a description: more can neither be meant nor computed.
LARGEST = 2**24
LEAST_EPS = 1e-30  # added to a variance; a root of nothing divides by zero


def describe(layer: Layer) -> dict[str, Any]:
    """{"layer": its class, and its fields}; layers within fields are described in turn.

    Fields of later versions are left out while they are as in the first one.
    """
    description: dict[str, Any] = {"layer": type(layer).__name__}
    for entry in fields(layer):
        value = getattr(layer, entry.name)
        if entry.metadata.get(ADDED_LATER) and value == entry.default:
            continue
        if isinstance(value, Layer):
            value = describe(value)
        elif isinstance(value, Mapping):
            value = {name: describe(inner) for name, inner in value.items()}
        description[entry.name] = value
    return description


def build(description: Mapping[str, Any], layers: Mapping[str, type[Layer]] | None = None) -> Layer:
    """The layer that was described. Only classes in `layers` (default: `LAYERS`) can be built.

    Raises ModelFileError for an unknown class, field or value.
    """
    table = LAYERS if layers is None else layers
    try:
        name = description["layer"]
        if name not in table:
            raise ModelFileError(
                f"the file names a layer {str(name)[:60]!r} that this version does not have."
                f"{near(str(name)[:60], table)} "
                "A newer residua may; layers of your own are passed as `layers`."
            )
        values = {key: _value(value, table) for key, value in description.items() if key != "layer"}
        _check_values(table[name], values)
        return table[name](**values)
    except ModelFileError:
        raise
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300]
        raise ModelFileError(f"the file's description of its network cannot be read: {reason}") from None


def _check_values(kind: type[Layer], values: Mapping[str, Any]) -> None:
    # Dataclasses take anything; a wrong value would only show in the middle of a computation.
    allowed: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,)}
    for entry in fields(kind):
        named = entry.type if isinstance(entry.type, str) else entry.type.__name__
        if entry.name in values and named in allowed:
            value = values[entry.name]
            if type(value) not in allowed[named] or (named != "bool" and not _in_bounds(value, entry.name)):
                raise ValueError(f"{kind.__name__}.{entry.name} cannot be {repr(value)[:40]}")
    if not all(-LARGEST <= number <= LARGEST for value in values.values() for number in _numbers_in(value)):
        raise ValueError(f"{kind.__name__} cannot have numbers beyond {LARGEST:,}")


def _numbers_in(value: Any) -> Iterator[float]:
    """Every number in lists within lists."""
    if isinstance(value, list):
        for inner in value:
            yield from _numbers_in(inner)
    elif isinstance(value, int | float):
        yield value


def _in_bounds(value: float, name: str) -> bool:
    """Whether a number is one that a network can be computed with."""
    if name == "eps" and not value >= LEAST_EPS:
        return False
    return -LARGEST <= value <= LARGEST


def _value(value: Any, table: Mapping[str, type[Layer]]) -> Any:
    if isinstance(value, Mapping):
        # A container may hold a layer under the name "layer".
        if isinstance(value.get("layer"), str):
            return build(value, table)
        return {name: build(inner, table) for name, inner in value.items()}
    return value
