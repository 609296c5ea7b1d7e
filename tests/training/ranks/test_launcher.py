"""Processes whose mpiexec is gone end by themselves."""

from __future__ import annotations

import os
import signal
import time

import pytest
from documents import load_tool
from mpi_jobs import NEEDS, OPTIONS, begin
from tiny import paint_folder

from residua.training.ranks import launcher


def test_whoever_started_it_is_missed(monkeypatch, capsys):
    parents, ended = iter([7, 7, 7, 1]), []
    monkeypatch.setattr(os, "getppid", lambda: next(parents))
    monkeypatch.setattr(launcher.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(os, "_exit", ended.append)
    launcher._watch(7, "Go on.")
    assert ended == [2]
    assert capsys.readouterr().err == "residua: mpiexec is gone; this process ends. Go on.\n"


@NEEDS
def test_no_process_is_left_when_mpiexec_is_killed(tmp_path):
    pytest.importorskip("mpi4py")
    paint_folder(tmp_path / "pics", count=20)
    folder, tool = tmp_path / "run", load_tool("kill_ranks")
    job = begin((2, ["train", tmp_path / "pics", *OPTIONS, "--epochs", "5000", "--run", folder]))
    limit = time.monotonic() + 60
    while not (folder / "log.jsonl").exists() and time.monotonic() < limit:
        time.sleep(0.05)
    assert len(tool.members(folder)) == 2
    job.send_signal(signal.SIGKILL)
    killed = time.monotonic()
    while tool.members(folder) and time.monotonic() - killed < 15:
        time.sleep(0.05)
    assert tool.members(folder) == []
    job.communicate(timeout=15)
