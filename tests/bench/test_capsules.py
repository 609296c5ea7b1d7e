"""CapsNet's benchmark: both sides take the same steps."""

from __future__ import annotations

import numpy as np
import pytest
from bench_harness import harness_with

from residua.bench import capsules, cases
from residua.engines import open_engine
from residua.models.architectures.capsnet import capsnet

NETWORK = capsnet(width=16)


@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
@pytest.mark.parametrize("engine", ["numpy", pytest.param("numba", marks=pytest.mark.exhaustive)])
def test_both_sides_take_the_same_steps(peer, engine, layout):
    if engine == "numba":
        pytest.importorskip("numba")
    pictures, labels = capsules.random_digits(6)
    variables = NETWORK.init(np.random.default_rng(1))
    ours = capsules.train_step(open_engine(engine), NETWORK, variables, pictures, labels)
    theirs = peer.capsules_step(variables, pictures, labels, layout)
    mine, other = zip(*((ours(), theirs()) for _ in range(4)), strict=True)
    # Ours is the mean so far.
    np.testing.assert_allclose(mine, np.cumsum(other) / np.arange(1, 5), rtol=1e-5)
    assert mine[3] < mine[0]


def test_the_case_times_both_sides(peer):
    row = cases.capsule_step(harness_with(peer), NETWORK, 4).row()
    assert set(row["sides"]) == {"residua", "PyTorch"}
    assert row["to_reach"] == ">= 2.5"
    assert row["work"] == "CapsNet train step, batch 4"
