"""Options from anywhere (flags, TOML, Python) into a config: known names, right types, sensible ranges."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from residua.errors import ConfigError, near

C = TypeVar("C")

# What a run.toml holds beside options: its own format and where the run took place.
NOT_OPTIONS = frozenset({"format", "versions", "machine"})
FORMAT = 1  # of run.toml; a higher one comes from a newer residua


def _positive(x: float) -> bool:
    return x > 0


def _natural(x: float) -> bool:
    return x >= 0


def _share(x: float) -> bool:
    return 0 <= x < 1


# What a number must satisfy beyond its type, in words and as a test.
LIMITS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "size": ("at least 8 pixels", lambda x: x >= 8),
    "resize": ("at least 8 pixels", lambda x: x >= 8),
    "validation": ("a share from 0 to below 1, or a number of pictures", _natural),
    "test": ("a share between 0 and 1", lambda x: 0 < x < 1),
    "crop": ("0 or more pixels", _natural),
    "cutout": ("0 or more pixels", _natural),
    "input": ("at least 8 pixels", lambda x: x >= 8),
    "resized_crop": ("a share from 0 to 1", lambda x: 0 <= x <= 1),
    "rotate": ("0 to 180 degrees", lambda x: 0 <= x <= 180),
    "shear": ("0 to 80 degrees", lambda x: 0 <= x <= 80),
    "zoom": ("a share from 0 to 0.9", lambda x: 0 <= x <= 0.9),
    "elastic": ("0 to 1000", lambda x: 0 <= x <= 1000),
    "elastic_smooth": ("0.1 to 1000 pixels", lambda x: 0.1 <= x <= 1000),
    "brightness": ("a share from 0 to 1", lambda x: 0 <= x <= 1),
    "contrast": ("a share from 0 to 1", lambda x: 0 <= x <= 1),
    "saturation": ("a share from 0 to 1", lambda x: 0 <= x <= 1),
    "hue": ("0 to 180 degrees", lambda x: 0 <= x <= 180),
    "tint": ("a share from 0 to 1", lambda x: 0 <= x <= 1),
    "pca_noise": ("0 to 10", lambda x: 0 <= x <= 10),
    "noise": ("a share from 0 to 1", lambda x: 0 <= x <= 1),
    "randaugment": ("0 to 100 operations", lambda x: 0 <= x <= 100),
    "magnitude": ("0 to 10", lambda x: 0 <= x <= 10),
    "mixup": ("0 to 100", lambda x: 0 <= x <= 100),
    "cutmix": ("0 to 100", lambda x: 0 <= x <= 100),
    "width": ("1 or more channels", _positive),
    "hidden": ("widths of 1 or more", lambda x: all(width > 0 for width in x)),
    "dropout": ("a share from 0 to below 1", _share),
    # Above 1000 a step could make weights infinite before any loss tells of it.
    "rate": ("above 0 and at most 1000", lambda x: 0 < x <= 1000),
    "momentum": ("a share from 0 to below 1", _share),
    "decay": ("0 or more", _natural),
    "clip": ("0 or more", _natural),
    "smoothing": ("a share from 0 to below 1", _share),
    "average": ("a share from 0 to below 1", _share),
    "epochs": ("1 or more", _positive),
    "batch": ("1 or more", _positive),
    "warmup": ("0 or more epochs", _natural),
    "plateau_patience": ("1 or more epochs", _positive),
    "stop_patience": ("0 or more epochs", _natural),
    "freeze": ("0 or more stages, or all", lambda x: x == "all" or x >= 0),
    "unfreeze_at": ("2 or a later epoch", lambda x: x >= 2),
    "depth_rate": ("above 0 and at most 1", lambda x: 0 < x <= 1),
    "seed": ("from 0 to 2^63 - 1", lambda x: 0 <= x < 2**63),
    "threads": ("1 or more", _positive),
    "checkpoint_seconds": ("above 0", _positive),
    "checkpoint_steps": ("0 or more", _natural),
    "top": ("1 or more", _positive),
    "pictures": ("1 to 100", lambda x: 1 <= x <= 100),
    "variations": ("1 to 100", lambda x: 1 <= x <= 100),
    "rounds": ("1 or more", _positive),
    "sample": ("2 to 100000", lambda x: 2 <= x <= 100_000),
    "show": ("1 to 400", lambda x: 1 <= x <= 400),
    "reject": ("a probability from 0 to 1", lambda x: 0 <= x <= 1),
    "reject_accuracy": ("a share above 0 and at most 1", lambda x: 0 < x <= 1),
    "channels": ("numbers from 0", lambda x: all(number >= 0 for number in x)),
    "lowest": ("above 0 and at most 1000", lambda x: 0 < x <= 1000),
    "highest": ("above 0 and at most 1000", lambda x: 0 < x <= 1000),
    "steps": ("10 to 100000", lambda x: 10 <= x <= 100_000),
    "seconds": ("above 0", _positive),
    "level": ("a share between 0 and 1", lambda x: 0 < x < 1),
    "draws": ("100 to 10000000", lambda x: 100 <= x <= 10_000_000),
    "numbers": ("numbers from 0", lambda x: all(number >= 0 for number in x)),
    "samples": ("1 to 10000", lambda x: 1 <= x <= 10_000),
    "most_steps": ("2 to 100000", lambda x: 2 <= x <= 100_000),
    "patch": ("1 or more pixels", _positive),
    "sheet": ("1 to 100 pictures", lambda x: 1 <= x <= 100),
    "epsilon": ("above 0 and at most 100000, in steps of 1/255", lambda x: 0 < x <= 100_000),
    "most": ("1 to 100000, in steps of 1/255", lambda x: 1 <= x <= 100_000),
    "iterations": ("1 to 100000", lambda x: 1 <= x <= 100_000),
    "confidence": ("a probability from 0 to 0.9999", lambda x: 0 <= x <= 0.9999),
    "sizes": ("sizes above 0 and at most 255", lambda x: bool(x) and all(0 < size <= 255 for size in x)),
}


def flag(name: str) -> str:
    """How an option is written on the command line."""
    return "--" + name.strip("_").replace("_", "-")


def check(config: C) -> C:
    """The config, once every value has the type and lies in the range that its option takes.

    A `pathlib.Path` for a file or folder becomes text. Raises ConfigError that names the option, what it
    takes and what came.
    """
    hints = get_type_hints(type(config))
    changed: dict[str, Any] = {}
    for entry in fields(config):  # type: ignore[arg-type]
        value: Any = getattr(config, entry.name)
        checked: Any
        if is_dataclass(value):
            checked = check(value)
        elif entry.metadata.get("path") and isinstance(value, os.PathLike):
            checked = os.fsdecode(value)
        else:
            checked = value
            _check_value(entry.name, value, hints[entry.name])
        if checked is not value:
            changed[entry.name] = checked
    return replace(config, **changed) if changed else config  # type: ignore[type-var]


def _check_value(name: str, value: Any, hint: Any) -> None:
    if not _is(value, hint):
        raise ConfigError(f"{flag(name)} takes {words_for(hint)}; it was given {value!r}")
    if name in LIMITS and value is not None:
        words, fits = LIMITS[name]
        if not fits(value):
            raise ConfigError(f"{flag(name)} takes {words}; it was given {value!r}")


def _is(value: Any, hint: Any) -> bool:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return value in arguments
    if origin in (UnionType, Union):
        return any(_is(value, choice) for choice in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and all(_is(item, arguments[0]) for item in value)
    if hint is float:
        # nan is the one number that differs from itself.
        return isinstance(value, int | float) and not isinstance(value, bool) and value == value
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def words_for(hint: Any) -> str:
    """What an option of this type takes, in words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(repr(choice) for choice in arguments)
    if origin in (UnionType, Union):
        return " or ".join(words_for(choice) for choice in arguments if choice is not type(None))
    if origin is tuple:
        return f"a list of which each is {words_for(arguments[0])}"
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
    return words.get(hint, str(hint))


def option_names(config: type) -> dict[str, str]:
    """{option: its section}; the section is "" where the config has none."""
    hints = get_type_hints(config)
    names: dict[str, str] = {}
    for entry in fields(config):
        if is_dataclass(hints[entry.name]):
            names.update({below.name: entry.name for below in fields(hints[entry.name])})
        else:
            names[entry.name] = ""
    return names


def flatten_options(config: type, values: Mapping[str, Any], source: str = "") -> dict[str, Any]:
    """Options with or without their sections -> options alone, every one of them known.

    Raises ConfigError for an unknown one, with its nearest neighbours; `source` is where it stood.
    """
    names = option_names(config)
    flat: dict[str, Any] = {}
    for key, value in values.items():
        inside = value if isinstance(value, Mapping) else {key: value}
        if inside is value and key not in names.values():
            raise ConfigError(f"{source}there is no section [{key}].{near(key, set(names.values()) - {''})}")
        for name, item in inside.items():
            option = name.replace("-", "_")
            # A word of Python's own, such as `from`, has an underscore behind it there.
            option = f"{option}_" if f"{option}_" in names else option
            if option not in names:
                raise ConfigError(f"{source}there is no option {name!r}.{near(name, names)}")
            if inside is value and names[option] != key:
                raise ConfigError(f"{source}{name!r} belongs into [{names[option]}], not into [{key}]")
            flat[option] = tuple(item) if isinstance(item, list) else item
    return flat


def configure(config: type[C], values: Mapping[str, Any], source: str = "") -> C:
    """The config with these values, flat or by section, and the defaults for all others; checked."""
    flat = flatten_options(config, values, source)
    hints = get_type_hints(config)
    arguments: dict[str, Any] = {}
    for entry in fields(config):  # type: ignore[arg-type]
        hint = hints[entry.name]
        if is_dataclass(hint):
            chosen = {below.name: flat[below.name] for below in fields(hint) if below.name in flat}
            arguments[entry.name] = hint(**chosen)  # type: ignore[operator]
        elif entry.name in flat:
            arguments[entry.name] = flat[entry.name]
    try:
        return check(config(**arguments))
    except ConfigError as error:
        raise ConfigError(f"{source}{error}") from None


def read_toml(path: str | Path) -> dict[str, Any]:
    """The options in a TOML file; a run.toml may be given as it is. Raises ConfigError."""
    try:
        with open(path, "rb") as stream:
            values = tomllib.load(stream)
    except OSError as error:
        raise ConfigError(f"cannot read the options in {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not a TOML file: {error}") from None
    written = values.get("format", FORMAT)
    if not isinstance(written, int) or written > FORMAT:
        raise ConfigError(
            f"{path} was written in format {written!r} by a newer residua; this one reads up to format "
            f"{FORMAT}: upgrade residua to use it"
        )
    if "format" in values and isinstance(values.get("run"), dict):
        values["run"].pop("run", None)  # a run.toml's own folder: a repetition needs another
    return {key: value for key, value in values.items() if key not in NOT_OPTIONS}


def to_toml(config: Any) -> dict[str, Any]:
    """The config as plain tables; options that are None are left out, for TOML has no word for it."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key.strip("_"): clean(item) for key, item in value.items() if item is not None}
        return list(value) if isinstance(value, tuple) else value

    tables: dict[str, Any] = clean(asdict(config))
    return tables
