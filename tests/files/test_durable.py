"""A file is written whole or not at all, whatever goes wrong."""

import errno
import os
import subprocess
import sys

import pytest

from residua.errors import DataError, ResiduaError, RunError
from residua.files import durable
from residua.files.durable import host, remove_stale, replacing, temporary_for, write_durably, write_once


def test_writes_and_replaces(tmp_path):
    path = tmp_path / "a file.bin"
    write_durably(path, b"one")
    write_durably(path, (bytes([n]) for n in range(3)))
    assert path.read_bytes() == b"\0\1\2"
    assert os.listdir(tmp_path) == ["a file.bin"]


def test_a_failing_source_leaves_the_old_file(tmp_path):
    def chunks():
        yield b"half"
        raise KeyError("no more")

    path = tmp_path / "model"
    write_durably(path, b"old")
    with pytest.raises(KeyError):
        write_durably(path, chunks())
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model"]


def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "model"
    write_durably(path, b"old")
    monkeypatch.setattr(durable.os, "fsync", full)
    with pytest.raises(RunError, match=f"^Cannot write {path}: No space left on device") as caught:
        write_durably(path, b"new")
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model"]


@pytest.mark.parametrize("links", [True, False])
def test_what_is_written_once_stays(tmp_path, monkeypatch, links):
    def without_links(source, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    if not links:
        monkeypatch.setattr(durable.os, "link", without_links)
    path, before = tmp_path / "turn", set(durable._active)
    assert write_once(path, b"first")
    assert not write_once(path, b"second")
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["turn"]
    with pytest.raises(DataError, match="Create the folder first"):
        write_once(tmp_path / "absent" / "x", b"", error=DataError)
    assert durable._active == before


def write_to_full_device(path):
    path.symlink_to("/dev/full")
    with path.open("wb") as stream:
        stream.write(b"data")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_a_device_that_is_really_full(tmp_path):
    with pytest.raises(RunError, match="No space left"), replacing(tmp_path / "x") as temporary:
        write_to_full_device(temporary)
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_and_the_caller_s_error(tmp_path):
    with pytest.raises(DataError, match="Create the folder first"):
        write_durably(tmp_path / "absent" / "x", b"", error=DataError)
    with pytest.raises(ResiduaError):
        write_durably(tmp_path, b"")  # the path of a folder


def test_synced_before_and_after_the_rename(tmp_path, monkeypatch):
    seen = []
    sync, replace = os.fsync, durable.Path.replace

    def note_sync(handle):
        seen.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "file")
        sync(handle)

    def note_rename(self, target):
        seen.append("rename")
        return replace(self, target)

    monkeypatch.setattr(durable.os, "fsync", note_sync)
    monkeypatch.setattr(durable.Path, "replace", note_rename)
    write_durably(tmp_path / "x", b"1")
    if os.path.isdir("/proc/self/fd"):
        assert seen == ["file", "rename", "folder"]
    else:
        assert seen.index("rename") == 1


KILLED = """
import os, signal, sys
from residua.files.durable import host, remove_stale, replacing, temporary_for, write_durably
with replacing(sys.argv[1]) as temporary:
    temporary.write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_leftovers_of_killed_writers_are_removed(tmp_path):
    path = tmp_path / "model"
    write_durably(path, b"old")
    subprocess.run([sys.executable, "-c", KILLED, str(path)], check=False)
    assert path.read_bytes() == b"old"
    assert len(os.listdir(tmp_path)) == 2
    foreign = tmp_path / ".note.partial"
    foreign.write_bytes(b"somebody else's")
    with replacing(tmp_path / "other") as mine:
        mine.write_bytes(b"in progress")
        removed = remove_stale(tmp_path)
        assert mine.exists()
    assert len(removed) == 1
    assert sorted(os.listdir(tmp_path)) == [".note.partial", "model", "other"]


@pytest.mark.skipif(os.name == "nt", reason="process numbers cannot be asked for there")
def test_files_of_running_writers_are_kept(tmp_path):
    theirs = tmp_path / f".model.{os.getppid()}-00112233.partial"
    theirs.write_bytes(b"in progress")
    assert remove_stale(tmp_path) == []
    os.utime(theirs, (0, 0))
    assert remove_stale(tmp_path) == [theirs]


def test_a_reused_process_number_does_not_protect_leftovers(tmp_path):
    ours_once = tmp_path / f".model.{os.getpid()}-00112233.partial"
    ours_once.write_bytes(b"from a container that had the same number")
    assert remove_stale(tmp_path) == [ours_once]


def test_writers_on_another_computer_are_left_alone_for_a_day(tmp_path):
    """Their process numbers mean nothing here, where homes are shared."""
    theirs = tmp_path / ".model.999999999-00000000-11223344.partial"
    theirs.write_bytes(b"in progress")
    assert remove_stale(tmp_path) == []
    os.utime(theirs, (0, 0))
    assert remove_stale(tmp_path) == [theirs]
    ours = temporary_for(tmp_path / "model")
    dead = ours.with_name(ours.name.replace(f".{os.getpid()}-", ".999999999-"))
    dead.write_bytes(b"of a process that is gone")
    assert remove_stale(tmp_path) == [dead]


def test_a_clock_that_was_set_back_or_forth(tmp_path, monkeypatch):
    """What lies in the future is not old; a process that is gone is gone whatever the clock says."""
    running = tmp_path / f".model.{os.getppid()}-{host()}-00112233.partial"
    dead = tmp_path / f".model.999999999-{host()}-00112233.partial"
    for path in (running, dead):
        path.write_bytes(b"")
        os.utime(path, (4e9, 4e9))
    assert remove_stale(tmp_path) == [dead]
    assert running.exists()
