"""Integrated gradients take their steps where the score bends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from residua.insight.saliency import integrated
from residua.insight.saliency.integrated import FIRST_STEPS, integrated_gradients


@dataclass
class Bent:
    """Scores max(0, sum of x - bend): the gradient jumps from 0 to 1 at one place of the way."""

    bend: float
    batch: int = 3
    asked: int = 0

    def gradient(self, x, classes):
        self.asked += len(x)
        total = x.sum(axis=(1, 2, 3))
        return np.maximum(total - self.bend, 0), np.ones_like(x) * (total > self.bend)[:, None, None, None]


def test_steps_are_halved_where_the_rule_is_off():
    scorer = Bent(0.93)
    x = np.full((2, 1, 2, 1), 0.5)
    x[1] = 0.4  # ends before the bend
    found = integrated_gradients(scorer, x, np.zeros(2, np.int64), np.zeros((1, 2, 1)), tolerance=1e-3)
    assert found.steps[1] == FIRST_STEPS
    assert found.share[0] <= 1e-3
    np.testing.assert_allclose(found.maps[0].sum(), 0.07, rtol=1e-3)
    # Equal steps would have to be thousands: half a step times the jump is 0.001 of 0.07.
    assert found.steps[0] < 150
    assert scorer.asked == found.steps.sum() + 2


def test_no_more_steps_than_allowed():
    for most in (1, 4, 20):
        x = np.full((1, 1, 1, 1), 1.0)
        found = integrated_gradients(
            Bent(0.777), x, np.zeros(1, np.int64), np.zeros((1, 1, 1)), tolerance=0, most=most
        )
        assert found.steps.tolist() == [most]


@pytest.mark.parametrize("held", [1, 1 << 28])
def test_pictures_do_not_depend_on_those_beside_them(monkeypatch, held):
    x = np.linspace(0.2, 0.9, 10).reshape(5, 1, 2, 1)
    classes, start = np.zeros(5, np.int64), np.zeros((1, 2, 1))
    alone = [integrated_gradients(Bent(0.6, 1), x[i : i + 1], classes[:1], start) for i in range(5)]
    monkeypatch.setattr(integrated, "MOST_BYTES", held)
    together = integrated_gradients(Bent(0.6, 4), x, classes, start)
    for index, one in enumerate(alone):
        assert together.maps[index].tobytes() == one.maps[0].tobytes()
        assert together.steps[index] == one.steps[0]


def test_no_pictures():
    none = np.zeros((0, 1, 2, 1))
    assert not len(integrated_gradients(Bent(1), none, np.zeros(0, np.int64), none[:0].sum(axis=0)).steps)
