"""Whether one classifier is better than another on the same pictures, or whether that may be chance.

Of the pictures on which both are right, or both wrong, nothing is learnt: only those count on which one of
them alone is right, the discordant ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def mcnemar(first_only: int, second_only: int) -> float:
    """The probability that equal classifiers differ at least so much: McNemar's test, two-sided.

    first_only, second_only: pictures on which only that one is right. McNemar 1947 (Psychometrika 12), as
    Dietterich 1998 recommends it for two classifiers and one test set (Approximate Statistical Tests for
    Comparing Supervised Classification Learning Algorithms, Neural Computation 10, section 3.1). Where we
    differ: he approximates the binomial distribution by chi-square, which is off for few discordant
    pictures; here it is exact for any number, as a sign test.
    """
    from scipy.stats import binom

    if min(first_only, second_only) < 0:
        raise ValueError(f"counts are 0 or more, not {first_only} and {second_only}")
    fewer, both = min(first_only, second_only), first_only + second_only
    return min(1.0, 2 * float(binom.cdf(fewer, both, 0.5)))


def holm(probabilities: Sequence[float]) -> list[float]:
    """Probabilities of several tests, each so raised that a level holds for all of them together.

    Holm 1979 (A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics
    6): the smallest of k times k, the next times k - 1, and none below one before it.
    """
    raised = [0.0] * len(probabilities)
    least = 0.0
    for rank, place in enumerate(np.argsort(probabilities, kind="stable").tolist()):
        least = max(least, min(1.0, (len(probabilities) - rank) * probabilities[place]))
        raised[place] = least
    return raised


def difference_interval(
    first_only: int, second_only: int, pictures: int, level: float, draws: int, seed: int
) -> tuple[float, float]:
    """The paired bootstrap interval of the first's accuracy minus the second's, between -1 and 1.

    Percentiles (Efron 1979) that leave out a share `level`, over `draws` draws of as many pictures with
    replacement. A draw counts only how often it meets each kind of discordant picture: that has a
    multinomial distribution, which is drawn from directly. Of few discordant pictures the interval is too
    narrow; the test is exact for those too.
    """
    shares = np.array([first_only, second_only, pictures - first_only - second_only]) / pictures
    drawn = np.random.default_rng(seed).multinomial(pictures, shares, size=draws)
    low, high = np.quantile((drawn[:, 0] - drawn[:, 1]) / pictures, [level / 2, 1 - level / 2])
    return float(low), float(high)
