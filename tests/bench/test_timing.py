"""Both sides in turn, as long as they may take."""

from __future__ import annotations

import pytest

from residua.bench.timing import Limits, choose_fastest, time_in_turn


class Pretend:
    """A clock that only these workloads move."""

    def __init__(self):
        self.time, self.calls = 0.0, []

    def __call__(self):
        return self.time

    def turn(self, name, seconds):
        def run():
            self.calls.append(name)
            self.time += seconds

        return run


def test_sides_take_turns_and_the_first_changes_from_round_to_round():
    clock = Pretend()
    workloads = {"a": clock.turn("a", 2e-3), "b": clock.turn("b", 6e-3)}
    found = time_in_turn(workloads, Limits(rounds=3, clock=clock))
    warm_up = ["a"] * 4 + ["b"] * 4
    assert clock.calls == warm_up + [side for order in ("ab", "ba", "ab") for side in order for _ in range(4)]
    assert found["a"] == [pytest.approx([2.0] * 3)] * 3
    assert found["b"] == [pytest.approx([6.0] * 3)] * 3


def test_slow_work_is_timed_once_a_round_and_stops_when_its_time_is_up():
    clock = Pretend()
    found = time_in_turn({"a": clock.turn("a", 5.0)}, Limits(rounds=4, seconds=1e-12, clock=clock))
    assert found == {"a": [[5000.0]]}


def test_the_faster_mode_races():
    clock = Pretend()
    built = []

    def build(name, seconds):
        built.append(name)
        return clock.turn(name, seconds)

    modes = {
        name: lambda name=name, seconds=seconds: build(name, seconds)
        for name, seconds in (("slow", 3.0), ("fast", 1.0), ("middling", 2.0))
    }
    name, turn = choose_fastest(modes, Limits(clock=clock))
    turn()
    assert (name, clock.calls[-1], built) == ("fast", "fast", ["slow", "fast", "middling"])
