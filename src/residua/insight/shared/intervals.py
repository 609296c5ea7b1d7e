"""How far a share that was measured on few pictures may be from that of all pictures."""

from __future__ import annotations


def wilson_interval(right: int, pictures: int) -> tuple[float, float]:
    """The 95 % confidence interval of an accuracy, as shares between 0 and 1 (Wilson 1927)."""
    from scipy.stats import binomtest

    interval = binomtest(int(right), pictures).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)
