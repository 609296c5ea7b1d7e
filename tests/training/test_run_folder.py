"""A run folder has one writer: two trainings in it are told apart in one line."""

from __future__ import annotations

import os
import shutil

import pytest
from other_writer import other_writer
from tiny import OPTIONS, TINY, contents, paint_folder, refused

import residua
from residua.errors import RunError
from residua.files.one_writer import LOCK
from residua.training.loop import Training
from residua.training.progress import Quiet

pytest.importorskip("fcntl", reason="nothing is locked on Windows")


@pytest.fixture(scope="module")
def stopped(tmp_path_factory):
    """A run that was stopped after its first epoch, as a folder beside its pictures."""

    class Stops(Quiet):
        def end_epoch(self, row, timing, best):
            raise KeyboardInterrupt

    root = tmp_path_factory.mktemp("stopped")
    pics = paint_folder(root / "pics", count=6)
    options = TINY | {"engine": "numpy", "final_test": False, "reporter": Stops()}
    with pytest.raises(KeyboardInterrupt):
        residua.train(pics, run=str(root / "run"), **options)
    return root / "run"


def test_a_run_that_somebody_trains_is_not_gone_on_with(stopped, tmp_path, capsys):
    assert not (stopped / LOCK).exists()
    run = shutil.copytree(stopped, tmp_path / "run")
    with other_writer(run):
        before = contents(run)
        told = refused(capsys, "train", "--resume", run)
        assert contents(run) == before
    assert told.startswith(f"{run} is being written by process {os.getpid()} on ")
    assert told.endswith(": let it finish, or stop it first")
    held = []
    residua.train(resume=run, reporter=Watching(lambda: held.append((run / LOCK).exists())))
    assert held == [True]
    assert not (run / LOCK).exists()


class Watching(Quiet):
    def __init__(self, look):
        self.look = look

    def end_epoch(self, row, timing, best):
        self.look()


def test_a_folder_in_which_somebody_begins_a_run_is_left_to_them(stopped, tmp_path, capsys):
    run = tmp_path / "new"
    with other_writer(run):
        told = refused(capsys, "train", stopped.parent / "pics", *OPTIONS, "--run", run)
        assert os.listdir(run) == [LOCK]
    assert f"{run} is being written by process {os.getpid()} on " in told
    assert told.endswith(": let it finish, or choose another folder with --run")
    assert not run.exists()


def test_of_two_that_begin_at_once_the_later_is_refused(stopped, tmp_path, monkeypatch):
    run, others = tmp_path / "new", []
    options = TINY | {"engine": "numpy", "final_test": False, "reporter": Quiet(), "run": str(run)}
    real = Training.run

    def both(self):
        monkeypatch.setattr(Training, "run", real)
        with pytest.raises(RunError, match="already holds a run"):
            residua.train(stopped.parent / "pics", **options)
        others.append((run / LOCK).exists())
        real(self)

    monkeypatch.setattr(Training, "run", both)
    residua.train(stopped.parent / "pics", **options)
    assert others == [True]
    assert not (run / LOCK).exists()
