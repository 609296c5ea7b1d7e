"""The file of a sweep, read and checked: how trials are chosen, what varies in them, and what does not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

from residua.config import SweepFileConfig, TrainConfig
from residua.config.options import configure, flatten_options, option_names, read_toml
from residua.errors import ConfigError, near
from residua.sweeps.space import Dimension, Value, read_dimension, require_one_each

ORDER = "order"  # of what varies, beside the tables of a folder's own file, which TOML sorts otherwise
SECTIONS = ("sweep", "train", "space")
TRIALS = 20  # of a sampler that could go on for ever
MOST_TRIALS = 100_000
OWN = ("run", "final_test")  # options of training that a sweep sets itself

Values = Mapping[str, Value]


@dataclass(frozen=True)
class Plan:
    """A sweep as its file has it.

    name: the file's. trials: how many there will be. fixed: options of training that all trials share. space:
    what varies, in the file's order. document: the file's tables, by which a folder knows its sweep.
    """

    name: str
    search: SweepFileConfig
    trials: int
    fixed: dict[str, Any]
    space: tuple[Dimension, ...]
    document: dict[str, Any]

    def grid(self, number: int) -> dict[str, Value]:
        """The values of a grid's trial: the last dimension runs fastest."""
        values: dict[str, Value] = {}
        for dimension in reversed(self.space):
            points = dimension.points()
            number, place = divmod(number, len(points))
            values[dimension.name] = points[place]
        return {dimension.name: values[dimension.name] for dimension in self.space}

    def options(self, values: Values) -> dict[str, Any]:
        """What training is told in a trial with these values."""
        options = dict(self.fixed)
        for dimension in self.space:
            options |= _flat(dimension.options(values[dimension.name]), dimension.name)
        return options

    def config(self, values: Values, run: Path, threads: int) -> TrainConfig:
        """A trial's options; `threads` where the file says nothing of them. Raises ConfigError."""
        given = {"threads": threads} | self.options(values) | {"run": str(run), "final_test": False}
        return configure(TrainConfig, given)


def read_plan(path: Path, name: str | None = None) -> Plan:
    """The sweep of a file. Raises ConfigError that names the file and what in it cannot be."""
    source = f"{path}: "
    tables = read_toml(path)
    order = tables.pop(ORDER, None)
    for key, table in tables.items():
        if key not in SECTIONS:
            raise ConfigError(f"{source}there is no section [{key}] in a sweep.{near(key, SECTIONS)}")
        if not isinstance(table, Mapping):
            raise ConfigError(f"{source}{key} is a section, [{key}], with options under it")
    if not tables.get("space"):
        raise ConfigError(
            f"{source}nothing varies: [space] names the options to try, such as rate = [0.1, 0.01]"
        )
    search = configure(SweepFileConfig, tables.get("sweep", {}), f"{source}[sweep] ")
    fixed = flatten_options(TrainConfig, tables.get("train", {}), f"{source}[train] ")
    for option in OWN:
        if option in fixed:
            raise ConfigError(f"{source}[train] {option}: a sweep says that itself; leave it out")
    if isinstance(order, list):
        known = tables["space"]
        tables["space"] = {name: known[name] for name in order if name in known} | known
    space = _read_space(tables["space"], fixed, source)
    return Plan(
        name or path.stem,
        search,
        _count(search, space, source),
        fixed,
        space,
        {k: tables.get(k, {}) for k in SECTIONS},
    )


def _read_space(given: Mapping[str, Any], fixed: Mapping[str, Any], source: str) -> tuple[Dimension, ...]:
    """What varies; every value is one that training takes. Raises ConfigError."""
    names = option_names(TrainConfig)
    try:
        space = tuple(
            read_dimension(_option(name, names), part, _whole(name)) for name, part in given.items()
        )
        for dimension in space:
            for value in dimension.samples():
                own = _flat(dimension.options(value), dimension.name)
                for option in own:
                    if option in OWN:
                        raise ConfigError(f"{dimension.name}: a sweep sets {option} itself; leave it out")
                config = configure(TrainConfig, {**fixed, **own})
                if config.data.validation == 0:
                    raise ConfigError(
                        "a sweep chooses by validation accuracy: --validation takes a share above 0"
                    )
        require_one_each(space, fixed)
    except ConfigError as error:
        raise ConfigError(f"{source}[space] {error}") from None
    return space


def _option(name: str, names: Mapping[str, str]) -> str:
    """As the option is called in Python: `from` has an underscore behind it."""
    option = name.replace("-", "_")
    return f"{option}_" if f"{option}_" in names else option


def _flat(options: Mapping[str, Any], name: str) -> dict[str, Any]:
    return flatten_options(TrainConfig, options, "" if name in options else f"{name}: ")


def _whole(name: str) -> bool:
    """Whether an option of training takes whole numbers only, of all numbers."""
    for section in get_type_hints(TrainConfig).values():
        if is_dataclass(section) and name.replace("-", "_") in {entry.name for entry in fields(section)}:
            hint = get_type_hints(section)[name.replace("-", "_")]
            kinds = {hint, *get_args(hint)}
            return int in kinds and float not in kinds
    return False


def _count(search: SweepFileConfig, space: tuple[Dimension, ...], source: str) -> int:
    """How many trials there will be. Raises ConfigError for a grid without an end."""
    if search.sampler == "tpe":
        return TRIALS if search.trials is None else search.trials
    if search.trials is not None:
        raise ConfigError(
            f"{source}[sweep] trials: a grid tries every combination; leave it out, or take tpe"
        )
    try:
        count = math.prod(len(dimension.points()) for dimension in space)
    except ConfigError as error:
        raise ConfigError(f"{source}[space] {error}") from None
    if count > MOST_TRIALS:
        raise ConfigError(f"{source}the grid has {count:,} combinations; at most {MOST_TRIALS:,} are tried")
    return count
