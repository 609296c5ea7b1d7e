"""Values as programs have them: every option takes them, keeps them plain, and refuses the wrong ones."""

from __future__ import annotations

import enum
import json
from collections import deque
from dataclasses import fields, is_dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest
import tomli_w

from residua import config as options
from residua.config.limits import LIMITS
from residua.config.options import check, configure, to_toml
from residua.config.plain import plain, plain_list, plain_tree
from residua.errors import ConfigError

CONFIGS = [getattr(options, name) for name in options.__all__ if name.endswith("Config")]
WHOLE = [1, 2, 8, 10, 16, 100, 1000]
NUMBERS = [0.5, 0.25, 1.5, 8.0, 100.0]


class Word(str, enum.Enum):  # noqa: UP042 (the older way, which people's programs have)
    TEXT = "x"


def sections():
    """Every dataclass with options of its own, once."""
    found = {}
    for config in CONFIGS:
        for hint in get_type_hints(config).values():
            found[hint if is_dataclass(hint) else config] = True
    return list(found)


def every_option(section):
    hints = get_type_hints(section)
    return [(entry.name, hints[entry.name], entry.metadata.get("path")) for entry in fields(section)]


def kinds(hint):
    """The kinds that an option takes, None apart."""
    if get_origin(hint) in (Literal, tuple):
        return [hint]
    return [kind for kind in get_args(hint) or [hint] if kind is not NoneType]


def fitting(name, values):
    _, fits = LIMITS.get(name, ("", lambda x: True))
    return next(value for value in values if fits(value))


def dressed(kind, name) -> list[tuple[Any, Any]]:
    """(as a program has it, as it must be kept) of one kind."""
    if get_origin(kind) is Literal:
        word = get_args(kind)[0]
        member = enum.Enum("member", {"first": word})
        return [(np.str_(word), word), (member.first, word), (np.array(word), word)]
    if get_origin(kind) is tuple:
        inside = dressed(get_args(kind)[0], "")
        value = inside[0][1]
        lists = [[value], deque([value]), np.array([value]), iter([value])]
        lists += [(wrapped,) for wrapped, _ in inside]
        return [(given, (value,)) for given in lists] + (
            [(range(1, 3), (1, 2))] if kind == tuple[int, ...] else []
        )
    if kind is bool:
        return [(np.bool_(True), True), (np.array(False), False)]
    if kind is int:
        n = fitting(name, WHOLE)
        wrappers = [np.int64, np.uint8 if n < 256 else np.int32, np.array, Fraction, Decimal]
        wrappers.append(lambda n: enum.IntEnum("number", {"n": n}).n)
        return [(wrapper(n), n) for wrapper in wrappers]
    if kind is float:
        x = fitting(name, NUMBERS)
        return [
            (wrapper(x), x) for wrapper in (np.float32, np.float64, np.array, Fraction, np.longdouble)
        ] + [(Decimal(str(x)), x)]
    assert kind is str
    return [(np.str_("x"), "x"), (Word.TEXT, "x")]


@pytest.mark.parametrize("section", sections())
def test_every_option_takes_what_programs_have(section):
    """Each option alone, with each of its kinds in each of its clothes; files keep plain values."""
    for name, hint, path in every_option(section):
        for kind in kinds(hint):
            cases = dressed(kind, name)
            if path:
                cases += [(Path("x"), "x"), (PurePosixPath("x"), "x"), (b"x", "x")]
            for given, kept in cases:
                found = getattr(check(section(**{name: given})), name)
                assert found == kept, (name, given)
                assert type(found) is type(kept) or float(kept).is_integer(), (name, given)
                json.dumps(found)
                tomli_w.dumps({name: list(found) if isinstance(found, tuple) else found})


@pytest.mark.parametrize("section", sections())
def test_what_is_wrong_stays_wrong_in_numpys_clothes(section):
    wrong = {
        int: [
            np.float64(1.5),
            np.bool_(True),
            True,
            np.array([1]),
            Fraction(1, 2),
            "1",
            np.datetime64("2020"),
        ],
        float: [np.bool_(True), np.float32("nan"), "1", np.array([1.0]), np.complex64(1)],
        bool: [np.int64(1), 1, "yes", np.array([True])],
        str: [np.int64(3), 3, np.array(["x"])],
    }
    for name, hint, path in every_option(section):
        taken = kinds(hint)
        if len(taken) > 1:
            continue
        kind = taken[0]
        values = wrong.get(kind, [np.array(3.5), {"a"}, {"a": 1}, "a" * 9])
        for value in values if path or kind is not str else [*values, Path("x"), b"x"]:
            with pytest.raises(ConfigError) as caught:
                check(section(**{name: value}))
            text = str(caught.value)
            assert "--" + name.strip("_").replace("_", "-") in text
            assert "\n" not in text


def test_a_config_made_by_hand_is_made_plain():
    made = options.TrainConfig(schedule=options.ScheduleOptions(epochs=np.int64(3)))
    assert type(check(made).schedule.epochs) is int
    same = options.TrainConfig()
    assert check(same) is same
    written = to_toml(configure(options.TrainConfig, {"hidden": np.array([3, 4]), "data": Path("x")}))
    assert (written["model"]["hidden"], written["data"]["data"]) == ([3, 4], "x")


@pytest.mark.parametrize(
    "value", [None, "x", 3, 2.5, True, b"x", 1j, np.datetime64("2020-01-01"), object(), np.ma.masked]
)
def test_other_values_stay_what_they_are(value):
    kept = plain(value)
    assert kept is value or isinstance(value, np.datetime64)


def test_lists_with_an_order_only():
    assert plain_list({1, 2}) == {1, 2}
    assert plain_list("ab") == "ab"
    assert plain_list(np.array([[1, 2]]))[0].tolist() == [1, 2]
    kept = (1, "a")
    assert plain_list(kept) is kept


def test_trees_are_what_json_writes():
    tree = {"a": np.int64(1), "b": [np.float32(0.5), Path("x")], np.str_("c"): {"d": np.array([1, 2])}}
    assert json.loads(json.dumps(plain_tree(tree))) == {"a": 1, "b": [0.5, "x"], "c": {"d": [1, 2]}}
