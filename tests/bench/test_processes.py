"""Whole processes: their memory and their start."""

from __future__ import annotations

import pytest
from bench_harness import harness_with

from residua.bench import (
    processes,
    worker,
)
from residua.bench.networks import TINY
from residua.engines.numpy.engine import NumpyEngine
from residua.errors import RunError


def test_processes_tell_their_memory_and_their_start(monkeypatch):
    monkeypatch.setattr(processes, "STEPS", 1)
    harness = harness_with()
    run = processes.run_process(harness, 1, "numpy")
    assert run.seconds > 0
    assert run.memory > 50
    monkeypatch.setattr(processes, "run_process", lambda *arguments: run)
    (memory,) = (result.row() for result in processes.measure_memory(harness))
    assert memory["sides"]["residua"]["median"] == pytest.approx(run.memory, rel=1e-3)
    (warm,) = (result.row() for result in processes.measure_startup(harness))
    assert (warm["unit"], warm["to_reach"]) == ("s", "<= 1.5 s")


@pytest.mark.parametrize("how", ["numpy", "contiguous"])
def test_what_a_process_does(monkeypatch, request, capsys, how):
    if how != "numpy":
        request.getfixturevalue("peer")
    monkeypatch.setattr(worker, "NETWORK", TINY)
    monkeypatch.setattr(worker, "BATCH", 4)
    worker.train_steps(1, 2, how)
    first, memory = capsys.readouterr().out.splitlines()
    assert first == "the first step is done"
    assert float(memory) > 50


def test_compiling_starts_from_an_empty_cache(monkeypatch):
    folders = []

    def run_process(harness, steps, how, environment):
        folders.append(environment["RESIDUA_KERNEL_CACHE"])
        return processes.ProcessRun(3.0, 100.0)

    monkeypatch.setattr(processes, "run_process", run_process)
    harness = harness_with(rounds=5)
    monkeypatch.setattr(NumpyEngine, "name", "numba")
    cold, warm = (result.row() for result in processes.measure_startup(harness))
    assert len(set(folders[:3])) == 3
    assert folders[3:] == folders[:1] * 5
    assert (cold["to_reach"], cold["reached"]) == ("<= 20 s", True)
    assert (warm["to_reach"], warm["reached"]) == ("<= 1.5 s", False)


def test_a_process_that_fails_is_told_in_one_line():
    with pytest.raises(RunError, match=r"ended with code 1: ValueError: .*'many'") as caught:
        processes.run_process(harness_with(), "many", "numpy")
    assert "\n" not in str(caught.value)
