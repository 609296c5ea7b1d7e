"""Options from anywhere (flags, TOML, Python) into a config: known names, right types, sensible ranges."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from residua.config.limits import LIMITS
from residua.config.plain import plain, plain_list
from residua.errors import ConfigError, near
from residua.files.regular import require_file
from residua.files.text_file import decode_text

C = TypeVar("C")

# What a run.toml holds beside options: its own format and where the run took place.
NOT_OPTIONS = frozenset({"format", "versions", "machine"})
FORMAT = 1  # of run.toml; a higher one comes from a newer residua
_OWN = b"format = "  # what a run.toml begins with


def flag(name: str) -> str:
    """How an option is written on the command line."""
    return "--" + name.strip("_").replace("_", "-")


def split_options(cls: type, options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Those of the options that a config has, and the others."""
    names = {entry.name for entry in fields(cls)}
    own = {name: value for name, value in options.items() if name in names}
    return own, {name: value for name, value in options.items() if name not in names}


def check(config: C) -> C:
    """The config, once every value has the type and lies in the range that its option takes.

    A `pathlib.Path` for a file or folder becomes text; NumPy's numbers, enums, fractions and ranges become
    plain ones. Raises ConfigError that names the option, what it takes and what came.
    """
    hints = get_type_hints(type(config))
    changed: dict[str, Any] = {}
    for entry in fields(config):  # type: ignore[arg-type]
        value: Any = getattr(config, entry.name)
        checked: Any
        if is_dataclass(value):
            checked = check(value)
        elif entry.metadata.get("path") and isinstance(path := plain(value), os.PathLike | bytes):
            checked = os.fsdecode(path)
        else:
            checked = _check_value(entry.name, value, hints[entry.name])
        if checked is not value:
            changed[entry.name] = checked
    return replace(config, **changed) if changed else config  # type: ignore[type-var]


def _check_value(name: str, value: Any, hint: Any) -> Any:
    """The value made plain. Raises ConfigError where it is none that the option takes."""
    checked = plain_list(value) if _takes_list(hint) else plain(value)
    if not matches(checked, hint):
        given = " ".join(repr(value).split())  # an array's has lines
        raise ConfigError(f"{flag(name)} takes {describe_type(hint)}; it was given {given[:200]}")
    if name in LIMITS and checked is not None:
        words, fits = LIMITS[name]
        if not fits(checked):
            raise ConfigError(f"{flag(name)} takes {words}; it was given {checked!r}")
    return checked


def _takes_list(hint: Any) -> bool:
    return get_origin(hint) is tuple or any(map(_takes_list, get_args(hint)))


def matches(value: Any, hint: Any) -> bool:
    """Whether a value is of the type that an option takes."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return any(type(value) is type(choice) and value == choice for choice in arguments)
    if origin in (UnionType, Union):
        return any(matches(value, choice) for choice in arguments)
    if origin is tuple:
        return isinstance(value, tuple) and all(matches(item, arguments[0]) for item in value)
    if hint is float:
        # nan is the one number that differs from itself.
        return isinstance(value, int | float) and not isinstance(value, bool) and value == value
    if hint is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, hint)


def describe_type(hint: Any) -> str:
    """What an option of this type takes, in words."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return " or ".join(repr(choice) for choice in arguments)
    if origin in (UnionType, Union):
        return " or ".join(describe_type(choice) for choice in arguments if choice is not type(None))
    if origin is tuple:
        return f"a list of which each is {describe_type(arguments[0])}"
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


def chosen_options(config: Any) -> dict[str, Any]:
    """Every option of a config whose value is not what the program takes where nothing is known."""
    options: dict[str, Any] = {}
    for section in fields(config):
        part = getattr(config, section.name)
        default = type(part)()
        for entry in fields(part):
            value = getattr(part, entry.name)
            if value is not None and value != getattr(default, entry.name):
                options[entry.name] = value
    return options


def file_options(config: Any) -> dict[str, str]:
    """Every option that names a file or folder, with its value, without those that were left out."""
    found: dict[str, str] = {}
    for entry in fields(config):
        value = getattr(config, entry.name)
        if is_dataclass(value):
            found |= file_options(value)
        elif entry.metadata.get("path") and value is not None:
            found[entry.name] = str(value)
    return found


def toml_text(path: str | Path) -> str:
    """The text of a TOML file, whoever wrote it. Raises OSError, and UnicodeDecodeError for no text.

    A run's own may name paths that are no UTF-8, to the byte as they are on the disk.
    """
    content = Path(path).read_bytes()
    return content.decode(errors="surrogateescape") if content.startswith(_OWN) else decode_text(content)[0]


def read_toml(path: str | Path, *, elsewhere: bool = False) -> dict[str, Any]:
    """The options in a TOML file; a run.toml may be given as it is. Raises ConfigError.

    elsewhere: files that a run.toml names, and that are not here, are taken from where they were.
    """
    require_file(path, ConfigError, "the options in")
    try:
        text = toml_text(path)
    except OSError as error:
        raise ConfigError(f"cannot read the options in {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not a TOML file: {error}") from None
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        hint = "; a path with backslashes stands in single quotes" if "\\" in text else ""
        raise ConfigError(f"{path} is not a TOML file: {error}{hint}") from None
    written = values.get("format", FORMAT)
    if not isinstance(written, int) or written > FORMAT:
        raise ConfigError(
            f"{path} was written in format {written!r:.20} by a newer residua; this one reads up to format "
            f"{FORMAT}: upgrade residua to use it"
        )
    if "format" in values and isinstance(values.get("run"), dict):
        values["run"].pop("run", None)  # a run.toml's own folder: a repetition needs another
    options = {key: value for key, value in values.items() if key not in NOT_OPTIONS}
    if elsewhere:
        _find_files(options, values.get("machine", {}), Path(path).parent)
    return options


def _find_files(options: dict[str, Any], machine: Any, run: Path) -> None:
    """Put in the places of files that are not where an option says, as a run.toml remembers them."""
    places = machine.get("places", {}) if isinstance(machine, dict) else {}
    for section in (part for part in options.values() if isinstance(part, dict)):
        for name, value in section.items():
            known = places.get(f"{name}_", places.get(name)) if isinstance(places, dict) else None
            if not isinstance(known, list) or os.path.exists(os.path.expanduser(str(value))):
                continue
            kept = [run.resolve() / place for place in known if isinstance(place, str)]
            section[name] = next((os.path.normpath(place) for place in kept if place.exists()), value)


def to_toml(config: Any) -> dict[str, Any]:
    """The config as plain tables; options that are None are left out, for TOML has no word for it."""

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {key.strip("_"): clean(item) for key, item in value.items() if item is not None}
        return list(value) if isinstance(value, tuple) else value

    tables: dict[str, Any] = clean(asdict(config))
    return tables
