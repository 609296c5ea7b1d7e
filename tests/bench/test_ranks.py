"""Processes of mpiexec beside one."""

from __future__ import annotations

import pytest
from bench_harness import harness_with

from residua.bench import rank_worker, ranks
from residua.bench.networks import TINY
from residua.errors import RunError


def test_divided_steps_are_held_against_one_process(monkeypatch):
    jobs = []

    def job(processes, threads, steps, batch, *, exact):
        jobs.append((processes, threads, exact))
        return [10.0 / processes] * steps

    monkeypatch.setattr(ranks, "run_job", job)
    monkeypatch.setattr(ranks, "mpiexec", lambda: "mpiexec")
    plain, exact = (result.row() for result in ranks.measure(harness_with(None), 3, 16))
    assert plain["ratio_of"] == "1 process / 2 processes"
    assert plain["to_reach"] == ">= 0.9"
    assert exact["work"].endswith("--exact-ranks")
    assert set(jobs) == {(1, 2, False), (2, 1, False), (1, 2, True), (2, 1, True)}


def test_without_mpiexec_the_case_says_what_it_takes(monkeypatch):
    monkeypatch.setattr(ranks, "mpiexec", lambda: None)
    with pytest.raises(RunError, match=r"residua\[mpi\]"):
        next(ranks.measure(harness_with(None)))


@pytest.mark.parametrize("exact", [False, True])
def test_a_worker_alone_times_its_steps(monkeypatch, exact):
    pytest.importorskip("numba")
    monkeypatch.setattr(rank_worker, "NETWORK", TINY)
    assert len(rank_worker.time_steps(1, 2, 16, exact=exact)) == 2
