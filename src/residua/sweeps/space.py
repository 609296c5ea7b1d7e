"""The options that vary in a sweep: ranges of numbers, and choices."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from residua.config.options import flag
from residua.errors import ConfigError, near

RANGE = ("low", "high", "log", "step", "count")
Value = str | int | float | bool


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included.

    whole: whole numbers only. log: drawn evenly by their logarithm. step: between neighbours. count: how many
    a grid takes of it.
    """

    name: str
    low: float
    high: float
    whole: bool = False
    log: bool = False
    step: float | None = None
    count: int | None = None

    def points(self) -> tuple[Value, ...]:
        """The numbers that a grid tries. Raises ConfigError where they are not counted."""
        if self.low == self.high:
            return (self._number(self.low),)
        if self.count is not None:
            shares = [place / max(self.count - 1, 1) for place in range(self.count)]
            found = [self._between(share) for share in shares]
        elif self.step is not None or self.whole:
            step = self.step or 1
            found = [
                self.low + place * step
                for place in range(math.floor((self.high - self.low) / step + 1e-9) + 1)
            ]
        else:
            raise ConfigError(f"{self.name}: a grid takes its range in steps: add count = 5, or step")
        return tuple(dict.fromkeys(map(self._number, found)))

    def samples(self) -> tuple[Value, ...]:
        """Values that tell whether all can be taken: the ends."""
        return self._number(self.low), self._number(self.high)

    def options(self, value: Value) -> dict[str, Any]:
        """What training is told."""
        return {self.name: value}

    def _between(self, share: float) -> float:
        if self.log:
            return float(math.exp((1 - share) * math.log(self.low) + share * math.log(self.high)))
        return (1 - share) * self.low + share * self.high

    def _number(self, value: float) -> int | float:
        # Twelve digits: 0.001 * 10 ** 1.0 shall be 0.01 in tables and commands.
        return round(value) if self.whole else float(f"{value:.12g}")


@dataclass(frozen=True)
class Choice:
    """One of several values, or of several sets of options, under a label each."""

    name: str
    labels: tuple[Value, ...]
    sets: tuple[dict[str, Any], ...]

    def points(self) -> tuple[Value, ...]:
        """The labels, all of which a grid tries."""
        return self.labels

    def samples(self) -> tuple[Value, ...]:
        """Values that tell whether all can be taken: every one."""
        return self.labels

    def options(self, value: Value) -> dict[str, Any]:
        """What training is told."""
        return self.sets[self.labels.index(value)]


Dimension = Range | Choice


def read_dimension(name: str, given: Any, whole: bool | None) -> Dimension:
    """What varies under a name of [space]: `[1, 2]`, `{low = 1, high = 2}`, or tables of options by label.

    whole: whether the option takes whole numbers only; None where the name is no option. Raises ConfigError.
    """
    option = name.replace("-", "_")
    if isinstance(given, Mapping) and given and all(isinstance(part, Mapping) for part in given.values()):
        return Choice(name, tuple(given), tuple(dict(part) for part in given.values()))
    if isinstance(given, Mapping):
        return _read_range(option, given, bool(whole))
    if isinstance(given, Sequence) and not isinstance(given, str):
        if not given:
            raise ConfigError(f"{name} = [] is an empty choice: list what is to be tried")
        labels = tuple(part if isinstance(part, str | int | float) else _label(part) for part in given)
        if len({(type(label), label) for label in labels}) < len(labels) or len(set(labels)) < len(labels):
            raise ConfigError(f"{name} = {list(given)} names a value twice")
        return Choice(option, labels, tuple({option: part} for part in given))
    raise ConfigError(
        f"{name} takes [A, B, ...] or {{low = A, high = B}}; it was given {given!r}: "
        "what is the same in all trials stands under [train]"
    )


def _label(part: Any) -> str:
    return " ".join(map(str, part)) or "none" if isinstance(part, list | tuple) else str(part)


def _read_range(name: str, given: Mapping[str, Any], whole: bool) -> Range:
    for key in given:
        if key not in RANGE:
            raise ConfigError(f"{name}: a range has no {key!r}.{near(key, RANGE)}")
    for key in ("low", "high"):
        if key not in given:
            raise ConfigError(f"{name}: a range has a low and a high end; {key} is missing")
    numbers = {key: given[key] for key in ("low", "high", "step", "count") if key in given}
    for key, number in numbers.items():
        if not isinstance(number, int | float) or isinstance(number, bool) or not math.isfinite(number):
            raise ConfigError(f"{name}: {key} takes a number; it was given {number!r}")
        if (whole or key == "count") and number != int(number):
            raise ConfigError(f"{name}: {key} takes a whole number; it was given {number!r}")
        if key in ("step", "count") and number <= 0:
            raise ConfigError(f"{name}: {key} takes a number above 0; it was given {number!r}")
    log = given.get("log", False)
    if not isinstance(log, bool):
        raise ConfigError(f"{name}: log takes true or false; it was given {log!r}")
    low, high = given["low"], given["high"]
    if low > high:
        raise ConfigError(f"{name}: the range is empty: low = {low} is above high = {high}")
    if log and low <= 0:
        raise ConfigError(f"{name}: a logarithmic range begins above 0; low is {low}")
    if log and "step" in given:
        raise ConfigError(f"{name}: a logarithmic range has no steps: leave out step or log")
    if "step" in given and "count" in given:
        raise ConfigError(f"{name}: step and count say the same: leave one out")
    if step := given.get("step"):  # the last number that the steps reach
        high = low + math.floor((high - low) / step + 1e-9) * step
    return Range(name, low, high, whole, log, given.get("step"), given.get("count"))


def require_one_each(space: Sequence[Dimension], fixed: Mapping[str, Any]) -> None:
    """Raise ConfigError where an option is set by two parts of a sweep's file."""
    owner: dict[str, str] = dict.fromkeys(fixed, "[train]")
    for dimension in space:
        own = {name for value in dimension.samples() for name in dimension.options(value)}
        for name in sorted(own):
            if name in owner:
                raise ConfigError(
                    f"{flag(name)} is set twice, by {owner[name]} and by [space] {dimension.name}"
                )
            owner[name] = f"[space] {dimension.name}"
