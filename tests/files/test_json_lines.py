"""Logs of one JSON object a line."""

from __future__ import annotations

import pytest

from residua.errors import RunError
from residua.files.json_lines import append_line, read_lines, truncate


def test_lines_are_read_back_and_taken_back(tmp_path):
    path = tmp_path / "log.jsonl"
    assert read_lines(path) == []
    size = append_line(path, {"epoch": 1, "loss": 0.5})
    assert path.read_bytes() == b'{"epoch": 1, "loss": 0.5}\n'
    assert size == len(path.read_bytes())
    append_line(path, {"epoch": 2})
    assert read_lines(path) == [{"epoch": 1, "loss": 0.5}, {"epoch": 2}]
    truncate(path, size)
    assert read_lines(path) == [{"epoch": 1, "loss": 0.5}]


def test_what_cannot_be_written_or_is_too_short_is_refused(tmp_path):
    with pytest.raises(RunError, match="cannot write"):
        append_line(tmp_path / "none" / "log.jsonl", {})
    truncate(tmp_path / "none.jsonl", 0)  # a log that was never begun
    (tmp_path / "log.jsonl").write_bytes(b"{}\n")
    with pytest.raises(RunError, match="shorter than its checkpoint"):
        truncate(tmp_path / "log.jsonl", 99)


@pytest.mark.parametrize("rest", [b'{"epoch": 3, "lo', b"\0\0\0\0", b"\xff\xfe", b"5\n", b"{}\n", b'{"epoch'])
def test_whole_lines_are_used_and_torn_ones_told(tmp_path, rest):
    path = tmp_path / "log.jsonl"
    append_line(path, {"epoch": 1})
    path.write_bytes(path.read_bytes() + rest)
    torn: list[str] = []
    assert read_lines(path, ("epoch",), torn) == [{"epoch": 1}]
    assert len(torn) == (rest.strip(b"\0") != b"")
    append_line(path, {"epoch": 2})  # is no part of the torn line
    assert read_lines(path, ("epoch",)) == [{"epoch": 1}, {"epoch": 2}]


def test_a_log_that_is_a_folder_is_refused(tmp_path):
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(RunError, match="cannot read"):
        read_lines(tmp_path / "log.jsonl")


NO_ENTRIES = [
    *(b"[1]", b"3", b"\xff", b'{"epoch": "1"}', b'{"epoch": true}', b"{}", b"[" * 9999),
    *(b'{"epoch": 1' + b"0" * 400 + b"}", b'{"epoch": 1, "train_loss": null}'),
]


@pytest.mark.parametrize("line", NO_ENTRIES, ids=range(len(NO_ENTRIES)))
def test_a_line_whose_numbers_are_none_is_left_out_and_told(tmp_path, line):
    (tmp_path / "log.jsonl").write_bytes(b'{"epoch": 1}\n' + line + b'\n{"epoch": 3}\n')
    torn: list[str] = []
    assert [row["epoch"] for row in read_lines(tmp_path / "log.jsonl", ("epoch",), torn)] == [1, 3]
    assert len(torn) == 1
