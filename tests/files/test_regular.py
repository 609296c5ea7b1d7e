"""What only looks like a file is known before it is opened."""

from __future__ import annotations

import os
import socket

import pytest

from residua import load_model
from residua.errors import DataError, ModelFileError
from residua.files.published_weights import read_weights
from residua.files.regular import plain_size, require_file, what_it_is


def test_files_folders_and_what_is_absent(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"")
    assert what_it_is(file) == ""
    assert what_it_is(tmp_path) == "it is a folder"
    assert what_it_is(tmp_path / "no") == "there is no such file"
    assert what_it_is(tmp_path / ("x" * 5000)) == "File name too long"
    assert "null" in what_it_is("a\0b")
    require_file(file, DataError)
    require_file(tmp_path / "no", DataError)
    with pytest.raises(DataError, match=r"cannot read the labels .*: it is a folder"):
        require_file(tmp_path, DataError, "the labels")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_pipes_sockets_and_devices(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # the names of sockets are short
    os.mkfifo("pipe")
    assert what_it_is("pipe") == "it is a pipe, not a file"
    os.symlink("pipe", "link")
    assert what_it_is("link") == "it is a pipe, not a file"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        assert what_it_is("socket") == "it is a socket, not a file"
    assert what_it_is("/dev/null") == "it is a device, not a file"


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="this system has no /proc")
def test_files_that_no_disk_holds():
    assert what_it_is("/proc/self/stat") == "it is the system's, not a file on a disk"


NOWHERE = [
    ("a\0b", "no file can have that name"),
    ("x" * 5000, "File name too long"),
    ("none", "No such file"),
]


@pytest.mark.parametrize(("name", "reason"), NOWHERE)
@pytest.mark.parametrize("read", [load_model, read_weights, plain_size])
def test_paths_that_lead_nowhere_are_told_in_one_line(tmp_path, monkeypatch, name, reason, read):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelFileError, match=reason) as caught:
        read(name)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1200


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
@pytest.mark.parametrize("read", [load_model, read_weights])
def test_pipes_and_devices_keep_nobody_waiting(tmp_path, read):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(ModelFileError, match=r"it is a (pipe|device), not a file"):
            read(path)


def test_the_size_of_a_file_and_a_folder_in_its_place(tmp_path):
    (tmp_path / "f").write_bytes(b"abc")
    assert plain_size(tmp_path / "f") == 3
    with pytest.raises(ModelFileError, match="it is a folder"):
        plain_size(tmp_path)
