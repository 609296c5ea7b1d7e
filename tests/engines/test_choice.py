"""Which engine a job gets: by time, and for training by the job alone."""

from __future__ import annotations

import pytest

from residua.engines import choice, installed
from residua.engines.choice import TRAINING, choose, choose_for_training
from residua.engines.estimate import Machine, Rehearsal, Work
from residua.engines.table import NEEDS

needs_numba = pytest.mark.skipif(not installed("numba"), reason="needs Numba")
JOB = Work(1e12, 0, Rehearsal(lambda: "a network", lambda engine: None))


@pytest.fixture
def cached(monkeypatch):
    """Says how many kernels are missing, and hears whether Numba was worth importing for that."""
    known = {"missing": 0, "asked": [], "any": True}

    def missing_kernels(rehearsal, threads, patient):
        known["asked"].append(patient)
        return known["missing"]

    monkeypatch.setattr(choice, "missing_kernels", missing_kernels)
    monkeypatch.setattr(choice, "any_kernels", lambda: known["any"])
    monkeypatch.setattr(choice, "measured_machine", Machine)
    monkeypatch.setattr(choice, "installed", lambda name: True)
    return known


def test_kernels_that_are_there_are_used(cached):
    assert choose("auto", JOB).engine == "numba"
    cached["missing"] = 100  # half a minute of compiling
    assert choose("auto", Work(1e11, 0, JOB.rehearsal)).engine == "numpy"
    assert choose("auto", Work(1e14, 0, JOB.rehearsal)).missing == 100


def test_a_small_job_looks_for_no_kernels(cached, monkeypatch):
    monkeypatch.setattr(choice, "measured_machine", lambda: pytest.fail("nothing is measured for so little"))
    assert choose("auto", Work(1e6, 0, JOB.rehearsal)).engine == "numpy"
    assert not cached["asked"]


def test_where_nothing_was_ever_compiled_numba_is_imported_for_large_jobs_alone(cached):
    cached["any"] = False
    choose("auto", Work(5e10, 0, JOB.rehearsal))
    choose("auto", JOB)
    assert cached["asked"] == [False, True]


def test_fewer_threads_compute_less(cached):
    job = Work(1e10, 0, JOB.rehearsal)
    assert choose("auto", job).engine == "numpy"
    if choice.available_cores() > 1:
        assert choose("auto", job, threads=1).engine == "numba"


def test_a_named_engine_is_that_engine(cached):
    assert choose("numpy", JOB).engine == "numpy"
    cached["missing"] = 3
    assert choose("numba", JOB).missing == 3


@needs_numba
def test_training_depends_on_the_job_alone(cached, monkeypatch):
    jobs = [TRAINING / 2, TRAINING, 1e15]
    expected = ["numpy", "numba", "numba"]
    for missing, machine in ((0, Machine()), (500, Machine(1e9, 1e5)), (None, Machine(1e13, 1e9))):
        cached["missing"] = missing
        monkeypatch.setattr(choice, "measured_machine", lambda machine=machine: machine)
        assert [choose_for_training("auto", job) for job in jobs] == expected


def test_without_numba_everything_is_done_by_numpy(monkeypatch):
    monkeypatch.setitem(NEEDS, "numba", ("no_such_module", "fast"))
    assert choose("auto", JOB).engine == "numpy"
    assert choose_for_training("auto", 1e15) == "numpy"
