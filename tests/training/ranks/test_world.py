"""The processes of a job: what they must have alike, and real ones that differ, are killed or stop."""

from __future__ import annotations

import io
import os
import random
import signal
import sys
import time
from types import ModuleType, SimpleNamespace

import numpy
import pytest
from documents import load_tool
from mpi_jobs import NEEDS, OPTIONS, begin
from tiny import paint_folder

from residua.cli import run
from residua.config import TrainConfig
from residua.config.options import configure
from residua.errors import ConfigError, DataError, RunError
from residua.training.ranks.agreement import check_data, check_options, check_versions, require_base
from residua.training.ranks.mpi import MpiWorld, find_mpi
from residua.training.ranks.world import AgreedError


class Stub(MpiWorld):
    """The first process of several that say what they are told to."""

    def __init__(self, rank, *words):
        self.rank, self.size, self.stall_seconds = rank, len(words) + 1, 1.0
        self.places = [f"host{k}, process {k}" for k in range(self.size)]
        self.words = words

    def gather_texts(self, text):
        return [text, *(word if isinstance(word, str) else word(text) for word in self.words)]


def test_what_differs_is_named_with_its_rank():
    def other(text):
        return text.replace('"batch": 32', '"batch": 64')

    config = configure(TrainConfig, {"data": "/here/photos", "batch": 32, "threads": 3})
    with pytest.raises(AgreedError) as caught:
        check_options(Stub(0, lambda text: text, other), config)
    line = "rank 2 (host2, process 2) has options other than rank 0: batch is 64 there and 32 on rank 0"
    assert line in str(caught.value)
    # Where the data lie, and threads, are each machine's own affair.
    check_options(Stub(0, lambda text: text.replace("/here/", "/there/")), config)
    with pytest.raises(AgreedError, match=r"rank 1 .* has pictures or weights other than rank 0: training"):
        check_data(Stub(0, lambda text: text.replace("abc", "abd")), "abc", 4, "w")
    older = Stub(0, lambda text: text.replace(f'"numpy": "{numpy.__version__}"', '"numpy": "1.0"'))
    with pytest.raises(AgreedError, match=r"rank 1 .* has versions other than rank 0: numpy is 1\.0"):
        check_versions(older)


def test_a_run_folder_that_is_not_shared_where_it_must_be_is_said(tmp_path):
    with pytest.raises(RunError, match=r"base\.safetensors is not here, .* that every rank sees; share"):
        require_base(Stub(0, "x"), tmp_path / "base.safetensors")
    require_base(None, tmp_path / "base.safetensors")  # alone it is the loader's to say


def test_where_one_cannot_all_end_with_its_words():
    cut = Stub(0, "a shard is cut short")
    with (
        pytest.raises(AgreedError, match=r"rank 1 \(host1, process 1\): a shard is cut short"),
        cut.all_or_none(),
    ):
        pass
    with pytest.raises(AgreedError, match=r"^no such folder$"), Stub(0, "no such folder").all_or_none():
        raise DataError("no such folder")


def test_where_mpi4py_finds_no_mpi_it_is_said_how_to_get_one(monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    stub = ModuleType("mpi4py")

    def missing(name):
        raise RuntimeError("cannot load MPI library\nlibmpi.so.40: no such file")

    stub.__getattr__ = missing
    monkeypatch.setitem(sys.modules, "mpi4py", stub)
    with pytest.raises(ConfigError) as caught:
        find_mpi.__wrapped__()
    words = (
        "mpi4py finds no MPI (cannot load MPI library libmpi.so.40: no such file): pip install 'residua[mpi]'"
    )
    assert str(caught.value) == words


def test_the_job_ends_though_nobody_reads_why(monkeypatch):
    world, ended, closed = Stub(0, "x"), [], io.StringIO()
    world._comm = SimpleNamespace(Abort=ended.append)
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    world.abort("rank 0 has failed", 1)
    assert ended == [1]


@NEEDS
def test_a_full_disk_of_one_process_ends_the_job_in_its_words(tmp_path):
    """A limit for files stands for a disk; pictures that do not fit stay in memory."""
    pytest.importorskip("mpi4py")
    paint_folder(tmp_path / "pics")
    command = ["train", tmp_path / "pics", *OPTIONS, "--epochs", "2", "--run", tmp_path / "run"]
    full = ("bash", "-c", 'ulimit -f 20; exec "$@"', "-")
    out, _ = (job := begin((1, command, *full), (1, command))).communicate(timeout=60)
    lines = [line for line in out.splitlines() if "residua: " in line]
    assert job.returncode == 2, out
    assert len(lines) == 1, out
    assert "residua: rank 0 (" in lines[0]
    assert f"Cannot write {tmp_path}/run/" in lines[0]
    assert "too large" in lines[0]


def test_without_mpi_it_is_said_what_is_missing(monkeypatch):
    find = find_mpi.__wrapped__
    for name in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)
    assert find() is None
    monkeypatch.setenv("PMI_SIZE", "4")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"one of 4 processes .* pip install 'residua\[mpi\]'"):
        find()


@NEEDS
def test_other_options_end_the_job_in_one_line(tmp_path):
    pytest.importorskip("mpi4py")
    paint_folder(tmp_path / "pics")
    command = ["train", tmp_path / "pics", *OPTIONS, "--run", tmp_path / "run"]
    out, _ = begin((1, command), (1, [*command, "--seed", "5"])).communicate(timeout=60)
    lines = [line for line in out.splitlines() if line.startswith("residua: ")]
    assert len(lines) == 1, out
    assert "rank 1" in lines[0]
    assert "seed is 5 there and 0 on rank 0" in lines[0]
    assert not (tmp_path / "run").exists()


@NEEDS
def test_more_processes_than_pictures_in_a_batch_are_told_in_one_line(tmp_path):
    pytest.importorskip("mpi4py")
    paint_folder(tmp_path / "pics")
    options = ["2" if option == "16" else option for option in OPTIONS]
    command = ["train", tmp_path / "pics", *options, "--run", tmp_path / "run"]
    job = begin((3, command))
    out, _ = job.communicate(timeout=60)
    lines = [line for line in out.splitlines() if line.startswith("residua: ")]
    assert job.returncode == 2
    assert len(lines) == 1, out
    assert "fewer than the 3 parts that it is computed in" in lines[0]
    assert "another --batch, or fewer processes" in lines[0]
    assert not (tmp_path / "run").exists()


@NEEDS
def test_killed_and_resumed_by_other_numbers_of_processes_to_the_same_bytes(tmp_path):
    pytest.importorskip("mpi4py")
    tool = load_tool("kill_ranks")
    pictures = tmp_path / "pictures"
    paint_folder(pictures / "train", count=40)
    paint_folder(pictures / "val", count=4, seed=5000)
    first = ["train", str(pictures), *OPTIONS, "--epochs", "8", "--exact-ranks"]
    assert run([*first, "--run", str(tmp_path / "whole")]) == 0
    trouble = tool.Trouble(2, 2, exact=True, pause=0.3, early=0.0)
    kills, longest = tool.disturb(tmp_path / "killed", first, random.Random(3), trouble)
    assert kills == 2
    assert longest < tool.MOST_SECONDS
    assert tool.digests(tmp_path / "whole") == tool.digests(tmp_path / "killed")


@NEEDS
def test_a_process_that_stands_still_is_named(tmp_path):
    pytest.importorskip("mpi4py")
    paint_folder(tmp_path / "pics", count=20)
    folder = tmp_path / "run"
    command = ["train", tmp_path / "pics", *OPTIONS, "--epochs", "5000", "--stall", "1", "--run", folder]
    job = begin((2, command))
    limit = time.monotonic() + 60
    while not (folder / "log.jsonl").exists() and time.monotonic() < limit:
        time.sleep(0.05)
    still = max(load_tool("kill_ranks").members(folder))
    os.kill(still, signal.SIGSTOP)
    stopped = time.monotonic()
    out, _ = job.communicate(timeout=60)
    assert time.monotonic() - stopped < 15
    lines = [line for line in out.splitlines() if "residua: " in line]
    assert len(lines) == 1, out
    assert f"process {still}) has not answered" in lines[0]
    assert "train --resume" in lines[0]
