"""Several workers side by side, killed at random: the same trials as one that was left in peace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading

import pytest

pytest.importorskip("optuna", reason="optuna is not installed")

from documents import load_tool
from tiny import TINY

from residua.errors import RunError
from residua.sweeps import worker, workers
from residua.sweeps.folder import open_folder
from residua.sweeps.plan import read_plan
from residua.sweeps.results import trial_rows
from residua.sweeps.study import Study
from residua.sweeps.workers import Worker, work_side_by_side


@pytest.fixture
def folder(trained, tmp_path, quiet_cache, stub_figures):
    """A sweep of two short trials."""
    import tomli_w

    train = TINY | {"data": str(trained / "pics"), "engine": "numpy", "validation": 0.4, "epochs": 1}
    file = tmp_path / "two.toml"
    space = {"rate": [0.1, 0.02]}
    file.write_text(tomli_w.dumps({"sweep": {"sampler": "grid"}, "train": train, "space": space}))
    return open_folder(read_plan(file), tmp_path / "two", file)


def in_this_process(monkeypatch, code):
    """Workers are no processes of their own; `code` does what one does, and gives its exit code."""

    class Process:
        pid = 4711

        def __init__(self, command, stderr, **options):
            self.returncode = code([str(word) for word in command[3:]], stderr)

        def poll(self):
            return self.returncode

        def wait(self, timeout=None):
            return self.returncode

    monkeypatch.setattr(subprocess, "Popen", Process)
    monkeypatch.setattr(workers, "POLL_SECONDS", 0.0)


def test_a_dead_worker_is_replaced_and_said(folder, monkeypatch):
    codes, said, seen = [-signal.SIGKILL, 1, None], [], []

    def run(arguments, errors):
        code = codes.pop(0) if codes else None
        return worker.main(arguments) if code is None else code

    in_this_process(monkeypatch, run)
    study = work_side_by_side(folder, 1, lambda study: seen.append(len(study.trials())), said.append)
    assert [row.state for row in trial_rows(study)] == ["done", "done"]
    assert [line.partition("process 4711) ")[2] for line in said] == [
        "was killed by signal 9; its trial goes on from its last checkpoint",
        "ended with code 1; its trial goes on from its last checkpoint",
    ]
    assert seen[-1] == 2


def test_a_worker_that_cannot_go_on_ends_the_sweep_in_its_words(folder, monkeypatch):
    def run(arguments, errors):
        errors.write("a remark\nthe disk is full\n")
        return 2

    in_this_process(monkeypatch, run)
    with pytest.raises(RunError, match=r"^the disk is full$"):
        work_side_by_side(folder, 2, lambda study: None, lambda line: None)


def test_workers_that_die_at_once_are_not_begun_for_ever(folder, monkeypatch):
    in_this_process(monkeypatch, lambda arguments, errors: -9)
    with pytest.raises(RunError, match=r"died in a row.*too little memory.*residua sweep .*two --workers 1"):
        work_side_by_side(folder, 2, lambda study: None, lambda line: None)


def test_a_request_to_stop_reaches_every_worker(monkeypatch):
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    with tempfile.TemporaryFile("w+") as errors:
        workers._stop([Worker(process, errors)])
    assert process.returncode == -signal.SIGTERM
    process.stdin.close()
    stop = threading.Event()
    with workers.stop_requests(stop):
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.wait(10)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_worker_tells_how_it_ended(folder, capsys, monkeypatch):
    assert worker.main([str(folder.path), "1"]) == 0
    assert Study(folder).done()
    (folder.path / "sweep.toml").unlink()
    assert worker.main([str(folder.path), "1"]) == 2
    assert "is not the folder of a sweep" in capsys.readouterr().err

    def stopped(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(worker, "find_plan", stopped)
    assert worker.main([str(folder.path), "1"]) == 130


@pytest.mark.exhaustive
@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="looks for processes in /proc")
@pytest.mark.parametrize(("sampler", "count"), [("grid", 2), ("tpe", 1)])
def test_killed_at_random_it_ends_with_the_same_trials(tmp_path, sampler, count):
    found = load_tool("kill_sweep").compare(tmp_path, sampler, count, kills=5, epochs=3, seed=1)
    assert sum(found["killed"].values()) == 5
