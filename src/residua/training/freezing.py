"""Which layers of a pretrained network are frozen until when, and how slowly the others learn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FreezePlan:
    """Which layers are frozen until when.

    frozen: names of layers, the first ones of the network; none for an ordinary training. unfreeze: the
    epoch, from 0, from which everything is trained; None for never. depth_rate: what each stage's rate is of
    that of the next one towards the head (Howard and Ruder 2018, 1801.06146, section 3.2: 1 / 2.6), None for
    one rate.
    """

    frozen: tuple[str, ...] = ()
    unfreeze: int | None = None
    depth_rate: float | None = None

    def frozen_at(self, epoch: int) -> tuple[str, ...]:
        """The names of the layers that are frozen in this epoch."""
        return self.frozen if self.unfreeze is None or epoch < self.unfreeze else ()


NOTHING_FROZEN = FreezePlan()
