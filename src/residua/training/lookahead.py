"""Lookahead: every few steps the weights fall back towards slow ones, which follow them.

Zhang et al. 2019, "Lookahead Optimizer: k steps forward, 1 step back", arXiv 1907.08610, algorithm 1;
that the slow ones weigh more and more as training goes on is Jordan 2024's, arXiv 2404.00498, section 3.4
and the published program.
"""

from __future__ import annotations

from collections.abc import Callable

from residua.engines import Engine
from residua.engines.vocabulary.core import Array
from residua.variables import Tree, flatten, merge, unflatten

EVERY = 5  # steps
REMEMBERED = 0.95**5  # the share of the slow weights at the very end


def slow_share(progress: float) -> float:
    """How much the slow weights count when so much of training, from 0 to 1, is over."""
    return REMEMBERED * progress**3


def make_fall_back(engine: Engine) -> Callable[[Tree, Tree, float], Tree]:
    """fall_back(variables, slow, share) -> both mixed, the slow ones counting `share`: what both become.

    Statistics are mixed as well; what is no float stays the variables' own.
    """

    def fall_back(variables: Tree, slow: Tree, share: Array) -> Tree:
        new, old = flatten(variables), flatten(slow)
        numbers = [path for path, array in new.items() if array.dtype.kind == "f"]
        mixed = engine.mix([new[path] for path in numbers], [old[path] for path in numbers], share)
        return merge(variables, unflatten(dict(zip(numbers, mixed, strict=True))))

    return engine.compile(fall_back)
