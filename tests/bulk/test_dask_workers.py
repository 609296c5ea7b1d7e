"""The workers of a Dask cluster: the same table as without, and one line where something is not there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from small_models import small_model
from tiny import answered, paint, refused

from residua.bulk import dask_workers
from residua.errors import RunError
from residua.models.model_file import save_model

distributed = pytest.importorskip("distributed", reason="Dask is not installed")
pytestmark = pytest.mark.usefixtures("quiet_cache")


@pytest.fixture
def job(tmp_path):
    """A model, pictures, and the arguments of a job."""
    save_model(tmp_path / "model.safetensors", small_model(width=4))
    for number in range(23):
        paint(tmp_path / "pictures" / f"{number:02d}.png", (200, 40, 30), number)
    words = ["predict", tmp_path / "model.safetensors", tmp_path / "pictures", "--engine", "numpy"]
    return [*map(str, words), "--part", "5", "--threads", "1"]


def table(folder):
    return (folder / "predictions.csv").read_bytes()


def test_the_same_table_as_by_processes_of_this_machine(job, tmp_path, capsys):
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, protocol="inproc"
    ) as cluster:
        out = answered(capsys, *job, "--output", tmp_path / "out", "--scheduler", cluster.scheduler_address)
    assert "23 pictures" in out
    assert len(list((tmp_path / "out").glob("part-*.csv"))) == 5
    printed = answered(capsys, *job[:5], "--csv")
    assert table(tmp_path / "out").decode() == printed


def test_a_split_is_measured_by_a_cluster_as_by_one_process(trained, tmp_path, capsys):
    run = shutil.copytree(trained / "run", tmp_path / "run")
    asked = ["evaluate", run, "--split", "train", "--engine", "numpy", "--json"]
    whole = json.loads(answered(capsys, *asked))
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, protocol="inproc"
    ) as cluster:
        job = ["--parts", tmp_path / "job", "--part", "3", "--scheduler", cluster.scheduler_address]
        found = json.loads(answered(capsys, *asked, *job))
    assert (found["confusion"], found["trained_on"]) == (whole["confusion"], whole["trained_on"])


def test_nobody_at_the_address(job, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(dask_workers, "CONNECT_SECONDS", 0.3)
    where = "tcp://127.0.0.1:9"
    line = refused(capsys, *job, "--output", tmp_path / "out", "--scheduler", where)
    assert f"no Dask scheduler answers at {where}" in line
    assert "dask scheduler" in line


def test_dask_missing(job, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    line = refused(capsys, *job, "--output", tmp_path / "out", "--scheduler", "tcp://a:1")
    assert "pip install 'residua[cluster]'" in line


def test_what_goes_wrong_on_a_worker_is_one_line(tmp_path):
    workers = object.__new__(dask_workers.DaskWorkers)
    workers._dask, workers.address = distributed, "tcp://a:1"

    class Future:
        status = "error"

        def __init__(self, problem):
            self.problem = problem

        def exception(self):
            return self.problem

    killed = distributed.KilledWorker("part", None, 4)
    assert workers._result(Future(killed)) is None
    with pytest.raises(RunError, match=r"a worker of tcp://a:1 cannot do its part \(ModuleNotFoundError"):
        workers._result(Future(ModuleNotFoundError("No module named 'residua'")))
    with pytest.raises(RunError, match="as it was"):
        workers._result(Future(RunError("as it was")))


@pytest.mark.exhaustive
def test_workers_and_the_scheduler_killed(job, tmp_path, capsys):
    """Real processes: a lost worker is made up for, a lost scheduler ends the job, and it goes on after."""
    answered(capsys, *job, "--output", tmp_path / "whole")
    scheduler = dask("scheduler", "--port", "18791", "--no-dashboard")
    where = "tcp://127.0.0.1:18791"
    workers = [dask("worker", where, "--nthreads", "1", "--no-dashboard", "--no-nanny") for _ in range(2)]
    try:
        words = [*job, "--output", tmp_path / "out", "--scheduler", where]
        words[words.index("5")] = "1"
        running = subprocess.Popen(
            [sys.executable, "-m", "residua", *map(str, words)], stderr=subprocess.PIPE
        )
        wait_for(lambda: (tmp_path / "out" / "part-00001.json").exists())
        os.kill(workers[0].pid, signal.SIGKILL)
        wait_for(lambda: (tmp_path / "out" / "part-00004.json").exists())
        os.kill(scheduler.pid, signal.SIGKILL)
        _, err = running.communicate(timeout=120)
        assert running.returncode == 2
        assert b"is gone: start it and its workers again" in err.splitlines()[-1]
    finally:
        for process in (scheduler, *workers):
            process.kill()
            process.wait()
    words = [str(word) for word in words if word not in ("--scheduler", where)]
    answered(capsys, *words)
    assert table(tmp_path / "out") == table(tmp_path / "whole")


def dask(*words):
    program = [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]]
    return subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.02)
