"""The part of the vocabulary that changes variables: sums over all gradients, averages, optimisers.

Every operation takes lists, the arrays of a whole network: an engine may take them in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from residua.engines.vocabulary import update_rules

Array = Any
Arrays = Sequence[Any]


def mix(engine: Any, old: Arrays, new: Arrays, share: Any) -> list[Array]:
    """(1 - share) old + share new, one by one: running statistics and averaged weights."""
    share = engine._number(share)
    return [_like(a, a + share * (b - a)) for a, b in zip(old, new, strict=True)]


def scale(engine: Any, arrays: Arrays, factor: Any) -> list[Array]:
    """Each array times the factor."""
    factor = engine._number(factor)
    return [_like(a, a * factor) for a in arrays]


def _like(a: Array, result: Array) -> Array:
    return result.astype(a.dtype)


def norm(engine: Any, arrays: Arrays) -> Array:
    """The Euclidean norm of all numbers together."""
    return engine.xp.sqrt(sum(((a * a).sum() for a in arrays), start=0.0))


def finite(engine: Any, arrays: Arrays) -> Array:
    """Whether every number of every array is finite."""
    result = True
    for a in arrays:
        result = engine.xp.isfinite(a).all() & result
    return result


def sgd(
    engine: Any,
    weights: Arrays,
    velocities: Arrays,
    gradients: Arrays,
    rate: Any,
    *,
    decays: Sequence[float],
    **options: Any,
) -> tuple[list[Array], ...]:
    """One step of stochastic gradient descent: weights, velocities (see `update_rules.sgd`).

    `decays`: the weight decay of each array.
    """
    return _update(engine, update_rules.sgd, (weights, velocities, gradients), rate, decays, options)


def adam(
    engine: Any,
    weights: Arrays,
    firsts: Arrays,
    seconds: Arrays,
    gradients: Arrays,
    rate: Any,
    *,
    decays: Sequence[float],
    **options: Any,
) -> tuple[list[Array], ...]:
    """One step of Adam: weights, first and second moments (see `update_rules.adam`)."""
    lists = (weights, firsts, seconds, gradients)
    betas = options.pop("beta1"), options.pop("beta2")
    options |= {"betas": betas, "count": engine._number(options["count"]), "xp": engine.xp}
    return _update(engine, update_rules.adam, lists, rate, decays, options)


def rmsprop(
    engine: Any,
    weights: Arrays,
    squares: Arrays,
    velocities: Arrays,
    gradients: Arrays,
    rate: Any,
    *,
    decays: Sequence[float],
    **options: Any,
) -> tuple[list[Array], ...]:
    """One step of RMSprop: weights, squares, velocities (see `update_rules.rmsprop`)."""
    lists = (weights, squares, velocities, gradients)
    return _update(engine, update_rules.rmsprop, lists, rate, decays, options | {"xp": engine.xp})


def _update(
    engine: Any,
    rule: Any,
    lists: tuple[Arrays, ...],
    rate: Any,
    decays: Sequence[float],
    options: dict[str, Any],
) -> tuple[list[Array], ...]:
    updated = []
    rate, decoupled = engine._number(rate), options.pop("decoupled")
    for weight, *slots, gradient, decay in zip(*lists, decays, strict=True):
        start, slope = update_rules.decay_weight(weight, gradient, rate, decay=decay, decoupled=decoupled)
        results = rule(start, tuple(slots), slope, rate, **options)
        updated.append([_like(weight, result) for result in results])
    return tuple(map(list, zip(*updated, strict=True))) if updated else ([],) * (len(lists) - 1)
