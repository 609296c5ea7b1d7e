from __future__ import annotations

import pytest

from residua.training.schedules import Schedule


def test_steps_divide_by_ten_at_a_half_and_three_quarters():
    schedule = Schedule("steps", 0.1, 100)
    memory = schedule.start()
    rates = [schedule.rate(epoch, memory) for epoch in (0, 49.9, 50, 74.9, 75, 99.9)]
    assert rates == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001, 0.001])


def test_cosine_falls_from_peak_to_zero_after_warm_up():
    schedule = Schedule("cosine", 0.2, 20, warmup=4)
    memory = schedule.start()
    assert schedule.rate(0, memory) < 0.001
    assert schedule.rate(2, memory) == pytest.approx(0.1, rel=0.01)
    assert schedule.rate(4, memory) == pytest.approx(0.2)
    assert schedule.rate(12, memory) == pytest.approx(0.1)
    assert schedule.rate(20, memory) == pytest.approx(0, abs=1e-12)


def test_one_cycle_rises_to_its_peak_and_falls_to_nothing():
    schedule = Schedule("one-cycle", 0.5, 10)
    rates = [schedule.rate(epoch / 10, schedule.start()) for epoch in range(101)]
    assert max(rates) == pytest.approx(0.5)
    assert rates.index(max(rates)) == 30
    assert rates[0] == pytest.approx(0.02)
    assert rates[-1] == pytest.approx(0, abs=1e-12)
    assert all(rate >= 0 for rate in rates)


def test_triangle_rises_from_a_fifth_and_falls_to_seven_hundredths():
    schedule = Schedule("triangle", 2.0, 10)
    memory = schedule.start()
    rates = [schedule.rate(epoch, memory) for epoch in (0, 1.15, 2.3, 6.15, 10)]
    assert rates == pytest.approx([0.4, 1.2, 2.0, 2.0 * 0.535, 0.14])


def test_plateau_divides_by_ten_when_validation_stalls():
    schedule = Schedule("plateau", 1.0, 50, patience=2)
    memory = schedule.start()
    rates = []
    for accuracy in (0.5, 0.6, 0.6, 0.6, 0.7, 0.65, 0.7, 0.7):
        memory = schedule.observe(memory, accuracy)
        rates.append(schedule.rate(1, memory))
    assert rates == pytest.approx([1, 1, 1, 0.1, 0.1, 0.1, 0.01, 0.01])


def test_constant_stays():
    schedule = Schedule("constant", 0.3, 5)
    assert {schedule.rate(epoch, schedule.start()) for epoch in range(6)} == {0.3}
