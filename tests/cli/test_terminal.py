"""What reaches a terminal, and terminals that are not there."""

from __future__ import annotations

import ast
import io
import sys
from pathlib import Path

import pytest

import residua.cli
from residua.cli import run, terminal


def test_results_and_errors_hold_nothing_that_a_terminal_obeys(capsys):
    terminal.to_stdout("a\x1b[2J\nb\x9b")
    terminal.to_stderr("a\x1b[2J\nb\u202e")
    out, err = capsys.readouterr()
    assert out == "a\\x1b[2J\nb\\u009b\n"
    assert err == "a\\x1b[2J\\nb\\u202e\n"


@pytest.mark.parametrize(
    "arguments", [["predict", "no\x1b[31m\nsuch", "x"], ["\x1b[31m"], ["train", "--\x1b"]]
)
def test_what_was_typed_is_said_back_in_one_line(capsys, arguments):
    assert run(arguments) == 2
    err = capsys.readouterr().err
    assert "\x1b" not in err
    assert len(err.splitlines()) == 1


def test_verbs_print_by_one_function():
    """`print` would let a name's letters through to the terminal."""
    for path in sorted(Path(residua.cli.__file__).parent.glob("*.py")):
        if path.name in ("terminal.py", "bench.py"):  # where it is; and one that names nothing
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
            assert not (called and node.func.id == "print"), path


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_a_stream_that_a_shell_closed_is_no_fault(monkeypatch, name):
    monkeypatch.setattr(sys, name, None)
    terminal.accept_all_names()
    assert getattr(sys, name) is not None
    getattr(sys, name).close()


def test_an_error_output_that_nobody_reads_ends_nothing(monkeypatch):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    terminal.to_stderr("a remark")
    assert run(["nosuchverb"]) == 2
