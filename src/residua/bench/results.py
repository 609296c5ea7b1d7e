"""What was measured: two sides in turn, their medians, spread and ratio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

import numpy as np

OURS, THEIRS = "residua", "PyTorch"
Unit = Literal["ms", "s", "MiB"]
Samples = Mapping[str, list[list[float]]]


@dataclass(frozen=True)
class Goal:
    """A figure to reach: of the ratio, or of the side that `figure` names."""

    sign: Literal[">=", "<=", "<"]
    value: float
    figure: str = "ratio"

    def __str__(self) -> str:
        return f"{self.sign} {self.value:g}"

    def reached(self, figure: float) -> bool:
        """Whether the figure does as it should."""
        if self.sign == ">=":
            return figure >= self.value
        return figure <= self.value if self.sign == "<=" else figure < self.value


@dataclass(frozen=True)
class Result:
    """One line of a table.

    samples: {side: rounds of measurements} in `unit`. over: the ratio is that of the first side's to the
    second's. modes: how a side was run, where there was a choice. flops: of the work, and peak: what a
    square product of matrices reached, both sides' shares of it being stated where they are known.
    """

    case: str
    work: str
    threads: int
    unit: Unit
    samples: Samples
    over: tuple[str, str] = (THEIRS, OURS)
    goal: Goal | None = None
    modes: Mapping[str, str] = field(default_factory=dict)
    flops: float = 0.0
    peak: float = 0.0

    def row(self) -> dict[str, Any]:
        """The line as plain types, for JSON."""
        row: dict[str, Any] = {
            "case": self.case,
            "work": self.work,
            "threads": self.threads,
            "unit": self.unit,
            "sides": {side: self._side(side) for side in self.samples},
            "ratio_of": " / ".join(self.over),
        }
        if all(side in self.samples for side in self.over):
            row["ratio"] = self._ratio()
        if self.goal is not None:
            row["to_reach"] = str(self.goal) + ("" if self.goal.figure == "ratio" else f" {self.unit}")
            if self.goal.figure == "ratio":
                figure = row.get("ratio", {}).get("of_medians")
            else:
                figure = row["sides"][self.goal.figure]["median"]
            row["reached"] = None if figure is None else self.goal.reached(figure)
        return row

    def _all(self, side: str) -> list[float]:
        return [value for values in self.samples[side] for value in values]

    def _side(self, side: str) -> dict[str, Any]:
        values = self._all(side)
        about: dict[str, Any] = _spread(values) | {"best": _short(min(values)), "samples": len(values)}
        if side in self.modes:
            about["mode"] = self.modes[side]
        if self.flops and self.peak and self.unit == "ms":
            about["share_of_sgemm_peak"] = round(1e3 * self.flops / median(values) / self.peak, 2)
        return about

    def _ratio(self) -> dict[str, Any]:
        first, second = self.over
        rounds = [min(a) / min(b) for a, b in zip(self.samples[first], self.samples[second], strict=True)]
        return {
            "of_medians": _short(median(self._all(first)) / median(self._all(second))),
            "of_best": _short(min(self._all(first)) / min(self._all(second))),
            "of_rounds": _spread(rounds),
        }


def format_threads(count: int) -> str:
    """1 thread, 2 threads."""
    return f"{count} thread{'s' if count > 1 else ''}"


def _short(number: float) -> float:
    """Four digits: no clock of ours knows more."""
    return float(f"{number:.4g}")


def _spread(values: list[float]) -> dict[str, float]:
    """Median, 10th and 90th percentile."""
    low, middle, high = (_short(float(q)) for q in np.quantile(values, (0.1, 0.5, 0.9)))
    return {"median": middle, "low": low, "high": high}


def line(row: Mapping[str, Any]) -> str:
    """A row for people."""
    unit = row["unit"]
    parts = []
    for side, about in row["sides"].items():
        mode = f", {about['mode']}" if "mode" in about else ""
        parts.append(f"{side} {about['median']:g} {unit} ({about['low']:g} to {about['high']:g}{mode})")
    text = f"{row['work']}: {', '.join(parts)}"
    if "ratio" in row:
        ratio = row["ratio"]
        rounds = ratio["of_rounds"]
        text += f"; {row['ratio_of']} {ratio['of_medians']:.2f}"
        text += f" (rounds {rounds['low']:.2f} to {rounds['high']:.2f})"
    if row.get("reached") is not None:
        text += f", to reach {row['to_reach']}: {'yes' if row['reached'] else 'no'}"
    shares = [
        f"{side} {about['share_of_sgemm_peak']:.2f}"
        for side, about in row["sides"].items()
        if "share_of_sgemm_peak" in about
    ]
    return text + (f"; of the sgemm peak: {', '.join(shares)}" if shares else "")
