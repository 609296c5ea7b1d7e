"""Which layers are frozen in which epoch."""

from __future__ import annotations

from residua.training.freezing import NOTHING_FROZEN, FreezePlan


def test_layers_are_frozen_until_their_epoch():
    plan = FreezePlan(("stem", "stage1"), unfreeze=2)
    assert [plan.frozen_at(epoch) for epoch in range(4)] == [("stem", "stage1")] * 2 + [()] * 2
    assert FreezePlan(("stem",)).frozen_at(99) == ("stem",)
    assert NOTHING_FROZEN.frozen_at(0) == ()
