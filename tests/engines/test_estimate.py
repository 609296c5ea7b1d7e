"""Seconds on each engine: a function of the job, the machine and what must be compiled."""

from __future__ import annotations

import pytest

from residua.engines.choice import Choice, decide
from residua.engines.estimate import CARRIED_SECONDS, Machine, Work, measured_machine, seconds

FAST, SLOW = Machine(8e10, 3e7), Machine(1e10, 1e7)
# (forward, gradients, kernels to compile; None for unknown) and the engine on each machine: from a picture to
# an afternoon, warm and cold.
CASES = [
    (0, 0, 0, "numpy", "numpy"),
    (1e9, 0, 0, "numpy", "numpy"),  # three photographs with SqueezeNet
    (1e10, 0, 0, "numpy", "numba"),  # thirty: loading kernels takes as long, where computing is fast
    (1e11, 0, 0, "numba", "numba"),
    (1e11, 0, 60, "numpy", "numpy"),
    (0, 7e10, 0, "numba", "numba"),  # three explained by integrated gradients
    (0, 7e10, 60, "numpy", "numpy"),
    (1e12, 0, 60, "numba", "numba"),
    (1e12, 0, None, "numpy", "numpy"),
    (1e14, 1e14, 200, "numba", "numba"),
]


@pytest.mark.parametrize(("forward", "gradients", "missing", "fast", "slow"), CASES)
def test_the_engine_that_is_through_first_is_chosen(forward, gradients, missing, fast, slow):
    work = Work(forward, gradients)
    for machine, expected in ((FAST, fast), (SLOW, slow)):
        chosen = decide(work, machine, missing)
        if missing is not None:
            both = {
                name: seconds(name, work, machine, missing * (name == "numba")) for name in ("numpy", "numba")
            }
            assert chosen.engine == min(both, key=both.get)
        assert chosen.engine == expected, machine


def test_what_must_be_compiled_is_added():
    work = Work(1e12)
    assert seconds("numba", work, Machine(), 10) == pytest.approx(
        seconds("numba", work, Machine()) + 10 * CARRIED_SECONDS / 2
    )
    assert seconds("numba", work, Machine(turns=1e7), 10) > seconds("numba", work, Machine(), 10)


def test_a_machine_is_measured_once():
    machine = measured_machine()
    assert machine is measured_machine()
    assert 1e8 < machine.multiply_adds < 1e14
    assert 1e5 < machine.turns < 1e10


def test_people_are_told_what_answers():
    assert Choice("numpy").line == "Engine: numpy"
    assert Choice("numba").line == "Engine: numba"
    assert Choice("numba", 1, 0.2).line == (
        "Engine: numba, which first compiles 1 kernel for this machine, about 1 s; this happens once"
    )
    assert "compiles 40 kernels for this machine, about 14 s" in Choice("numba", 40, 14.2).line
