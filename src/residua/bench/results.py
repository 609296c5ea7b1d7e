"""What was measured: two sides in turn, their medians, spread and ratio."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

import numpy as np

OURS, THEIRS = "residua", "PyTorch"
FASTEST = "faster runtime"
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
    square product of matrices reached, both sides' shares of it being stated where they are known. reads:
    bytes that the work cannot but read, and bandwidth: how many a second the memory gives.

    Of a race of more than two, against: the sides whose fastest the ratio is of. differences: of a side's
    answers from ours, the largest and as a share of our largest answer; above `most_difference` it is not
    the same work, and nothing is reached.
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
    reads: float = 0.0
    bandwidth: float = 0.0
    against: tuple[str, ...] = ()
    differences: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    most_difference: float = 1e-3

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
        if self.against:
            self._add_race(row)
        elif all(side in self.samples for side in self.over):
            row["ratio"] = self._ratio(*self.over)
        if self.goal is not None:
            row["to_reach"] = str(self.goal) + ("" if self.goal.figure == "ratio" else f" {self.unit}")
            if self.goal.figure == "ratio":
                figure = row.get("ratio", {}).get("of_medians")
            else:
                figure = row["sides"][self.goal.figure]["median"]
            row["reached"] = None if figure is None else self.goal.reached(figure) and row.get("agree", True)
        return row

    def _add_race(self, row: dict[str, Any]) -> None:
        """Every other side's ratio to ours, that of the fastest, and how far the answers are from ours."""
        others = [side for side in self.samples if side != OURS]
        row["ratios"] = {side: self._ratio(side, OURS) for side in others}
        row["ratio_of"] = f"{FASTEST} / {OURS}"
        rivals = [side for side in others if side in self.against] or others
        if rivals:
            fastest = min(rivals, key=lambda side: median(self._all(side)))
            row["ratio"] = row["ratios"][fastest] | {"side": fastest}
        row["differences"] = {
            side: {"largest": _short(largest), "share": _short(share)}
            for side, (largest, share) in self.differences.items()
        }
        # A share that is no number is no agreement either.
        row["agree"] = all(share <= self.most_difference for _, share in self.differences.values())

    def _all(self, side: str) -> list[float]:
        return [value for values in self.samples[side] for value in values]

    def _side(self, side: str) -> dict[str, Any]:
        values = self._all(side)
        about: dict[str, Any] = _spread(values) | {"best": _short(min(values)), "samples": len(values)}
        if side in self.modes:
            about["mode"] = self.modes[side]
        if self.flops and self.peak and self.unit == "ms":
            about["share_of_sgemm_peak"] = round(1e3 * self.flops / median(values) / self.peak, 2)
        if self.reads and self.bandwidth and self.unit == "ms":
            about["share_of_bandwidth"] = round(1e3 * self.reads / median(values) / self.bandwidth, 2)
        return about

    def _ratio(self, first: str, second: str) -> dict[str, Any]:
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
    if row.get("differences"):
        most = max(row["differences"].values(), key=lambda difference: difference["share"])
        text += f"; logits differ by {most['largest']:g} at most, {most['share']:.0e} of the largest"
        text += "" if row["agree"] else ": NOT THE SAME ANSWERS"
    shares = [
        f"{side} {about['share_of_sgemm_peak']:.2f}"
        for side, about in row["sides"].items()
        if "share_of_sgemm_peak" in about
    ]
    return text + (f"; of the sgemm peak: {', '.join(shares)}" if shares else "")
