"""The part of the vocabulary that changes variables: sums over all gradients, averages, optimisers.

Every operation takes lists, the arrays of a whole network: an engine may take them in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from residua.engines.vocabulary import update_rules

Array = Any
Arrays = Sequence[Any]


class VariableOperations:
    """Written once over `xp`, the engine's NumPy-like module."""

    xp: Any

    def mix(self, old: Arrays, new: Arrays, share: Any) -> list[Array]:
        """(1 - share) old + share new, one by one: running statistics and averaged weights."""
        share = self._number(share)
        return [self._like(a, a + share * (b - a)) for a, b in zip(old, new, strict=True)]

    def scale(self, arrays: Arrays, factor: Any) -> list[Array]:
        """Each array times the factor."""
        factor = self._number(factor)
        return [self._like(a, a * factor) for a in arrays]

    def _number(self, x: Any) -> Any:
        """x, an array that holds one number, so that it leaves others in their precision."""
        return x

    @staticmethod
    def _like(a: Array, result: Array) -> Array:
        return result.astype(a.dtype)

    def norm(self, arrays: Arrays) -> Array:
        """The Euclidean norm of all numbers together."""
        return self.xp.sqrt(sum(((a * a).sum() for a in arrays), start=0.0))

    def finite(self, arrays: Arrays) -> Array:
        """Whether every number of every array is finite."""
        found = True
        for a in arrays:
            found = self.xp.isfinite(a).all() & found
        return found

    def sgd(
        self,
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
        return self._update(update_rules.sgd, (weights, velocities, gradients), rate, decays, options)

    def adam(
        self,
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
        given = (weights, firsts, seconds, gradients)
        return self._update(update_rules.adam, given, rate, decays, options | {"xp": self.xp})

    def rmsprop(
        self,
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
        given = (weights, squares, velocities, gradients)
        return self._update(update_rules.rmsprop, given, rate, decays, options | {"xp": self.xp})

    def _update(
        self,
        rule: Any,
        given: tuple[Arrays, ...],
        rate: Any,
        decays: Sequence[float],
        options: dict[str, Any],
    ) -> tuple[list[Array], ...]:
        made = []
        rate = self._number(rate)
        if "count" in options:
            options = options | {"count": self._number(options["count"])}
        for *arrays, decay in zip(*given, decays, strict=True):
            results = rule(*arrays, rate, decay=decay, **options)
            made.append([self._like(arrays[0], result) for result in results])
        return tuple(map(list, zip(*made, strict=True))) if made else ([],) * (len(given) - 1)
