"""Paths that are none, and what lies there where a plain file should."""

from __future__ import annotations

import os

import pytest

from residua import load_model
from residua.errors import ModelFileError
from residua.files.plain_file import plain_size
from residua.files.published_weights import read_weights

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
