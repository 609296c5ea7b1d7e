"""What the parts of one batch, computed apart from each other, must tell each other."""

from __future__ import annotations

from typing import Any, Protocol

Array = Any


def pooled(engine: Any, count: int) -> int:
    """How many numbers a channel has in the whole batch where an engine has `count` of them."""
    return count if engine.together is None else int(engine.together.pooled(count))


class Together(Protocol):
    """One part of a batch among others, which other engines compute: threads, processes or machines.

    Every method but `pooled` and `places` is called by all parts, in the same order.
    """

    total: int  # pictures in the whole batch of this step

    def sum(self, array: Array) -> Array:
        """The sum (float64) of what all parts give, the same bytes for each."""
        ...

    def first(self, array: Array) -> Array:
        """What the first part gives."""
        ...

    def agree(self, flag: bool) -> bool:
        """Whether all parts say yes."""
        ...

    def combine(
        self, xp: Any, grads: dict[str, Array], loss: Array, correct: Array
    ) -> tuple[dict[str, Array], Array, Array]:
        """The sums over all parts of gradients, losses and right answers."""
        ...

    def pooled(self, count: int) -> int:
        """How many numbers the whole batch has where this part has `count`."""
        ...

    def places(self, count: int) -> slice:
        """Where this part's `count` numbers lie among those of the whole batch, picture by picture."""
        ...
