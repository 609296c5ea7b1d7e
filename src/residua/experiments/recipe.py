"""What an experiment is: the runs that it takes, what was published of each, and what is compared."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from residua.config import ImportConfig, TrainConfig
from residua.config.options import describe_type, flatten_options, matches, read_toml
from residua.data.views import VIEWS
from residua.errors import ConfigError, near

Options = dict[str, Any]
P = TypeVar("P")
NAME = r"[a-z0-9][a-z0-9.-]*"  # of what names a file or a folder


@dataclass(frozen=True)
class Variant:
    """One set of options, trained once for each seed; or models joined; or runs or weights of others.

    options: of `residua train`, beside the experiment's. published: the error in per cent, and source: where
    it stands. members: variants whose models are joined instead; of a single one, its models shown the test
    pictures in `views` (see `residua evaluate`). uses: "EXPERIMENT/VARIANT", whose runs these
    are. weights: published ones that are taken as they are, and imports: options of `residua import`.
    quick: options of `--quick` for it alone; skip_quick: it takes too long for that.
    """

    name: str
    title: str = ""
    options: Options = field(default_factory=dict)
    seeds: list[int] = field(default_factory=lambda: [0])
    published: float | None = None
    source: str = ""
    note: str = ""
    members: list[str] = field(default_factory=list)
    views: str = ""
    uses: str = ""
    weights: str = ""
    imports: Options = field(default_factory=dict)
    quick: Options = field(default_factory=dict)
    skip_quick: bool = False


@dataclass(frozen=True)
class Look:
    """A verb of insight that looks at a variant's first run: its name, and its options.

    shown: those of its pictures that the page of results shows, by name or pattern. quick: options of
    `--quick`.
    """

    verb: str
    of: str
    shown: list[str] = field(default_factory=list)
    options: Options = field(default_factory=dict)
    quick: Options = field(default_factory=dict)


@dataclass(frozen=True)
class Curves:
    """Variants whose learning curves are drawn together, in a picture that the page of results shows.

    Where a file has no [[curves]], those of all its variants are drawn together, and the page shows none.
    """

    name: str
    title: str
    of: list[str]

    @property
    def file(self) -> str:
        """What the picture is called."""
        return f"curves-{self.name}.png" if self.name else "curves.png"


@dataclass(frozen=True)
class Claim:
    """What was published as a comparison: the variant `less` errs less than the variant `than`."""

    text: str
    less: str
    than: str


@dataclass(frozen=True)
class Experiment:
    """A file of an experiment.

    about: what was published, and what is done here. options: of every run. quick: what `--quick` changes.
    where: where to get the data, where there is no download.
    """

    name: str
    title: str
    about: str
    variants: tuple[Variant, ...]
    options: Options
    quick: Options
    looks: tuple[Look, ...] = ()
    curves: tuple[Curves, ...] = ()
    claims: tuple[Claim, ...] = ()
    where: str = ""

    def variant(self, name: str) -> Variant:
        """The variant of that name. Raises ConfigError."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        names = [variant.name for variant in self.variants]
        raise ConfigError(f"{self.name} has no variant {name!r}.{near(name, names)}")


def read_experiment(path: Path) -> Experiment:
    """The experiment in a TOML file. Raises ConfigError that names what is wrong."""
    values, source = read_toml(path), f"{path}: "
    parts = {name: values.pop(name, []) for name in ("variant", "look", "curves", "claim")}
    for name, rows in parts.items():
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ConfigError(f"{source}{name} takes tables, each begun with [[{name}]]")
    variants = tuple(_part(Variant, row, f"{source}[[variant]] ") for row in parts["variant"])
    looks = tuple(_part(Look, row, f"{source}[[look]] ") for row in parts["look"])
    curves = tuple(_part(Curves, row, f"{source}[[curves]] ") for row in parts["curves"])
    claims = tuple(_part(Claim, row, f"{source}[[claim]] ") for row in parts["claim"])
    known = ("title", "about", "options", "quick", "where")
    for key in values:
        if key not in known:
            raise ConfigError(f"{source}there is no key {key!r}.{near(key, [*known, *parts])}")
    if not variants:
        raise ConfigError(f"{source}an experiment takes one [[variant]] or more")
    experiment = Experiment(
        name=path.stem,
        title=_text(values, "title", source),
        about=_text(values, "about", source),
        variants=variants,
        options=_options(values.get("options", {}), f"{source}[options] "),
        quick=_options(values.get("quick", {}), f"{source}[quick] "),
        looks=looks,
        curves=curves,
        claims=claims,
        where=_text(values, "where", source),
    )
    _check_names(experiment, source)
    return experiment


def _part(kind: type[P], row: Mapping[str, Any], source: str) -> P:
    """A table of the file as what it stands for."""
    hints = get_type_hints(kind)
    for key, value in row.items():
        if key not in hints:
            raise ConfigError(f"{source}there is no key {key!r}.{near(key, hints)}")
        if hints[key] == Options:
            continue
        lists = {list[int]: int, list[str]: str}
        kind_of_items = lists.get(hints[key])
        if kind_of_items is not None:
            if not isinstance(value, list) or not all(type(item) is kind_of_items for item in value):
                raise ConfigError(f"{source}{key} takes a list; it was given {value!r:.80}")
        elif not matches(value, hints[key]):
            raise ConfigError(f"{source}{key} takes {describe_type(hints[key])}; it was given {value!r:.80}")
    for entry in fields(kind):  # type: ignore[arg-type]
        if entry.name not in row and entry.default is MISSING and entry.default_factory is MISSING:
            raise ConfigError(f"{source}{entry.name} is missing")
    made = dict(row)
    if kind is Variant:
        made |= {name: _options(row.get(name, {}), source) for name in ("options", "quick")}
        made["imports"] = _options(row.get("imports", {}), source, ImportConfig)
    return kind(**made)


def _options(values: Any, source: str, config: type = TrainConfig) -> Options:
    """Options of `residua train`, or another verb, by their names. Raises ConfigError for an unknown one."""
    if not isinstance(values, Mapping):
        raise ConfigError(f"{source}options are a table; it was given {values!r:.80}")
    return flatten_options(config, values, source)


def _text(values: Mapping[str, Any], key: str, source: str) -> str:
    value = values.get(key, "")
    if not isinstance(value, str):
        raise ConfigError(f"{source}{key} takes text; it was given {value!r:.80}")
    return " ".join(value.split())


def _check_names(experiment: Experiment, source: str) -> None:
    names = [variant.name for variant in experiment.variants]
    _check_curves(experiment, source)
    for variant in experiment.variants:
        if not re.fullmatch(NAME, variant.name):
            raise ConfigError(
                f"{source}a variant is called by small letters, figures, points and hyphens, "
                f"for it names a folder; not {variant.name!r}"
            )
        if names.count(variant.name) > 1:
            raise ConfigError(f"{source}two variants are called {variant.name!r}")
        if variant.published is not None and not variant.source:
            raise ConfigError(
                f"{source}{variant.name}: say in `source` where {variant.published} was published"
            )
        if len(set(variant.seeds)) < len(variant.seeds) or not variant.seeds or min(variant.seeds) < 0:
            raise ConfigError(f"{source}{variant.name}: seeds are different whole numbers from 0")
        if sum(map(bool, (variant.members, variant.uses, variant.weights))) > 1:
            raise ConfigError(f"{source}{variant.name}: members, uses and weights go one without the others")
        if variant.views and (len(variant.members) != 1 or variant.views not in VIEWS):
            raise ConfigError(
                f"{source}{variant.name}: views are those of one of `members`, and {', '.join(VIEWS)}"
            )
        if variant.imports and not variant.weights:
            raise ConfigError(f"{source}{variant.name}: imports are options for `weights`: name them")
        for reserved in ("seed", "run"):
            if reserved in experiment.options | variant.options:
                raise ConfigError(f"{source}{variant.name}: {reserved!r} is chosen by the experiment")
    named = [name for variant in experiment.variants for name in variant.members]
    named += [look.of for look in experiment.looks]
    named += [name for group in experiment.curves for name in group.of]
    named += [name for claim in experiment.claims for name in (claim.less, claim.than)]
    for name in named:
        if name not in names:
            raise ConfigError(f"{source}there is no variant {name!r}.{near(name, names)}")


def _check_curves(experiment: Experiment, source: str) -> None:
    """What their pictures are called: each name but once."""
    names = [group.name for group in experiment.curves]
    for name in names:
        if not re.fullmatch(NAME, name):
            raise ConfigError(
                f"{source}[[curves]] are called by small letters, figures, points and hyphens, "
                f"for the name is that of a picture; not {name!r}"
            )
        if names.count(name) > 1:
            raise ConfigError(f"{source}two [[curves]] are called {name!r}")
