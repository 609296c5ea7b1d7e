"""A folder has one writer, however the one before ended."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from other_writer import other_writer

from residua.errors import RunError
from residua.files.one_writer import LOCK, InUseError, one_writer

fcntl = pytest.importorskip("fcntl", reason="nothing is locked on Windows")

HOLD = """
import sys, time
from pathlib import Path
from residua.files.one_writer import one_writer
with one_writer(Path(sys.argv[1]), ""):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_hears_who_the_first_is_and_what_to_do(tmp_path):
    with other_writer(tmp_path / "run"):
        with pytest.raises(InUseError) as told, one_writer(tmp_path / "run", "go elsewhere"):
            pass
        line = str(told.value)
        assert line.startswith(f"{tmp_path / 'run'} is being written by process {os.getpid()} on ")
        assert line.endswith(": let it finish, or go elsewhere")
    with one_writer(tmp_path / "run", ""):
        pass


def test_whoever_has_a_folder_may_take_it_again(tmp_path):
    with one_writer(tmp_path, ""):
        with one_writer(tmp_path / ".." / tmp_path.name, ""):
            pass
        assert (tmp_path / LOCK).exists()  # the inner one has not let go
        with ThreadPoolExecutor(1) as other, pytest.raises(InUseError):
            other.submit(one_writer(tmp_path, "").__enter__).result()
    assert not (tmp_path / LOCK).exists()


def test_nothing_stays_of_a_folder_that_nothing_was_written_into(tmp_path):
    with one_writer(tmp_path / "run", ""):
        pass
    assert not (tmp_path / "run").exists()
    with one_writer(tmp_path / "run", ""):
        (tmp_path / "run" / "log").touch()
    assert os.listdir(tmp_path / "run") == ["log"]


def test_a_killed_writer_keeps_nobody_out(tmp_path):
    with subprocess.Popen([sys.executable, "-c", HOLD, tmp_path], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with pytest.raises(InUseError, match=f"process {process.pid} on"), one_writer(tmp_path, ""):
            pass
        process.send_signal(signal.SIGKILL)
    assert (tmp_path / LOCK).exists()
    with one_writer(tmp_path, ""):
        pass
    assert not (tmp_path / LOCK).exists()


def test_a_lock_that_is_taken_away_meanwhile_holds_nothing(tmp_path, monkeypatch):
    taken, real = [], fcntl.flock

    def flock(stream, how):
        real(stream, how)
        if not taken:  # the one before ends between opening and locking
            taken.append((tmp_path / LOCK).unlink())

    monkeypatch.setattr(fcntl, "flock", flock)
    with one_writer(tmp_path, ""), pytest.raises(InUseError), other_writer(tmp_path):
        pass


def test_a_disk_without_locks_keeps_nobody_out(tmp_path, monkeypatch):
    def flock(stream, how):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    with one_writer(tmp_path, ""), other_writer(tmp_path):
        assert not (tmp_path / LOCK).exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    told = r"cannot write into .*file.run: Not a directory; go elsewhere"
    with pytest.raises(RunError, match=told), one_writer(tmp_path / "file" / "run", "go elsewhere"):
        pass
