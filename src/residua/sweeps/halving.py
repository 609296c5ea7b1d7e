"""Which trials end early: successive halving, and Hyperband over several of its kind.

Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht, Talwalkar: A System for Massively Parallel
Hyperparameter Tuning (2020, arXiv 1810.05934), section 3.2: asynchronous successive halving, in the form
of Optuna's pruners, which are its oracle in the tests: a trial is looked at when it has had
`shortest * factor^k` epochs, and goes on if it is among the best `factor`-th of those that came so far (of
fewer than `factor`: if it is the best).

Li, Jamieson, DeSalvo, Rostamizadeh, Talwalkar: Hyperband (2018, arXiv 1603.06560), section 3: trials are
dealt out to brackets, of which each begins to look later than the one before.

Optuna's own pruners write down each look as they take it, and a trial whose worker is killed after that would
pass it when it comes again. Here a look depends on nothing but accuracies, and can be taken again.
"""

from __future__ import annotations

import binascii
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Accuracies = Mapping[int, float]  # after each epoch, counted from 1


@dataclass(frozen=True)
class Halving:
    """Successive halving: looks after `shortest * factor^(late + k)` epochs."""

    shortest: int
    factor: int
    late: int = 0

    def ends(self, own: Accuracies, others: Iterable[Accuracies], epoch: int) -> bool:
        """Whether a trial ends after this epoch."""
        look = self.shortest * self.factor**self.late
        while look < epoch:
            look *= self.factor
        if look != epoch:
            return False
        if not math.isfinite(own[epoch]):
            return True
        known = sorted((own[epoch], *(other[epoch] for other in others if epoch in other)), reverse=True)
        return own[epoch] < known[max(len(known) // self.factor, 1) - 1]


@dataclass(frozen=True)
class Brackets:
    """Hyperband's brackets for trials of `epochs` epochs."""

    name: str
    epochs: int
    shortest: int
    factor: int

    @property
    def count(self) -> int:
        """How many there are."""
        count = 1
        while self.shortest * self.factor**count <= self.epochs:
            count += 1
        return count

    def bracket(self, number: int) -> int:
        """A trial's bracket: to each as many as Hyperband would begin with, dealt out by a checksum."""
        shares = [
            math.ceil(self.count * self.factor ** (self.count - 1 - place) / (self.count - place))
            for place in range(self.count)
        ]
        rest = binascii.crc32(f"{self.name}_{number}".encode()) % sum(shares)
        for place, share in enumerate(shares):
            rest -= share
            if rest < 0:
                return place
        raise AssertionError("the shares add up")

    def halving(self, number: int) -> Halving:
        """How a trial is looked at."""
        return Halving(self.shortest, self.factor, self.bracket(number))
