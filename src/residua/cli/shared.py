"""What several verbs share: switches, groups of options, data named twice, and how results are printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from residua.cli.terminal import to_stderr, to_stdout
from residua.errors import ConfigError
from residua.files.names import printable

Switch = Annotated[bool, Parameter(negative="")]
Options = Parameter(name="*")  # the fields of a dataclass, each as an option of its own


def sections(*names: str) -> list[Parameter]:
    """As `Options`, under these headings of the help, in this order."""
    return [Parameter(name="*", group=Group(name, sort_key=place)) for place, name in enumerate(names)]


def refuse_two_data_sets(data: str | None, option: str | None, default: str | None = None) -> None:
    """Raise ConfigError where --data names other data than the argument does."""
    if data is not None and option not in (default, data):
        raise ConfigError(f"two data sets were named, {data} and {option}: choose one")


def printer(as_json: bool, text: Callable[[Any], str]) -> Callable[[Any], None]:
    """Prints a result, as JSON or by `text`, before a verb writes its pictures: these may fail."""

    def print_result(result: Any) -> None:
        to_stdout(json.dumps(result.to_dict()) if as_json else text(result))

    return print_result


def print_line(line: str, as_json: bool = False) -> None:
    """A line beside the result; where that is JSON, on standard error."""
    (to_stderr if as_json else to_stdout)(printable(line))


def print_pictures(paths: Iterable[Path], as_json: bool = False) -> None:
    """Where the pictures are."""
    for path in paths:
        print_line(f"Picture: {path}", as_json)
