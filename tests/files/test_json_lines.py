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


@pytest.mark.parametrize("torn", [b'{"epoch": 2, "lo', b"{", b'{"a": "\xc3', b"\n\n", b"\0\0\0"])
def test_a_last_line_that_was_cut_off_is_left_out(tmp_path, torn):
    (tmp_path / "log.jsonl").write_bytes(b'{"epoch": 1}\n' + torn)
    assert read_lines(tmp_path / "log.jsonl", ("epoch",)) == [{"epoch": 1}]


NO_ENTRIES = [
    *(b"[1]", b"3", b"\xff", b'{"epoch": "1"}', b'{"epoch": true}', b"{}", b"[" * 9999),
    *(b'{"epoch": 1' + b"0" * 400 + b"}", b'{"epoch": 1, "train_loss": null}'),
]


@pytest.mark.parametrize("line", NO_ENTRIES, ids=range(len(NO_ENTRIES)))
def test_a_line_that_is_no_entry_is_named(tmp_path, line):
    (tmp_path / "log.jsonl").write_bytes(b'{"epoch": 1}\n' + line + b'\n{"epoch": 3}\n')
    with pytest.raises(RunError, match=r"log\.jsonl line 2 is damaged") as caught:
        read_lines(tmp_path / "log.jsonl", ("epoch",))
    assert "\n" not in str(caught.value)
