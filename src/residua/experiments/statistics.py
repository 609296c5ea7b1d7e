"""What several seeds come to: mean, standard deviation, and the interval in which the mean may lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

# Student's t, 97.5 % quantile, for 1 to 30 degrees of freedom; SciPy takes half a second to load.
_T = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


def quantile(freedom: float) -> float:
    """The 97.5 % quantile of Student's t; of degrees between whole numbers, that of the lower one."""
    whole = max(int(freedom), 1)
    return _T[whole - 1] if whole <= len(_T) else 1.96 + 2.5 / whole


@dataclass(frozen=True)
class Spread:
    """Several errors in per cent: how many, mean, standard deviation (of a sample), the mean's 95 % interval.

    deviation and interval are None of one error; interval also of errors that are all the same, as on few
    test pictures they may be: Student's t would put the mean's bounds upon each other, which is a sureness
    that nobody has. No error lies below 0 or above 100, so no interval does.
    """

    count: int
    mean: float
    deviation: float | None
    interval: tuple[float, float] | None


def spread(errors: Sequence[float]) -> Spread:
    """Mean, deviation and interval of one error or more (Student 1908, The Probable Error of a Mean)."""
    count, mean = len(errors), sum(errors) / len(errors)
    if count < 2:
        return Spread(count, mean, None, None)
    if min(errors) == max(errors):
        return Spread(count, mean, 0.0, None)
    deviation = math.sqrt(sum((error - mean) ** 2 for error in errors) / (count - 1))
    half = quantile(count - 1) * deviation / math.sqrt(count)
    return Spread(count, mean, deviation, (max(mean - half, 0.0), min(mean + half, 100.0)))


def difference(less: Sequence[float], than: Sequence[float]) -> tuple[float, tuple[float, float] | None]:
    """By how much the mean of `than` lies above that of `less`, with its 95 % interval (Welch 1947).

    None for the interval where one of them is a single number, or neither of them varies.
    """
    one, other = spread(less), spread(than)
    gap = other.mean - one.mean
    if one.deviation is None or other.deviation is None or one.deviation == other.deviation == 0:
        return gap, None
    parts = one.deviation**2 / one.count, other.deviation**2 / other.count
    error = math.sqrt(sum(parts))
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (one.count - 1) + parts[1] ** 2 / (other.count - 1))
    half = quantile(freedom) * error
    return gap, (gap - half, gap + half)
