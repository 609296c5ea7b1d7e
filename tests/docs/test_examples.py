"""The examples in README and docs/: Python runs, command lines are understood, output looks as is shown."""

from __future__ import annotations

import ast
import inspect
import re
import shlex
import textwrap

import pytest
from documents import NAMES, blocks, read
from tiny import call, paint_folder

from residua.cli import app
from residua.layers import Linear

# What documents show to people is longer than what a test needs.
SHORTER = {"epochs=10": "epochs=1", "width=16": "width=4"}
METHOD = "def forward(self"


def _commands(text: str) -> list[str]:
    """Every command line of residua in blocks of shell and console."""
    console = [
        line.removeprefix("$ ")
        for block in blocks(text, "console")
        for line in block.splitlines()
        if line.startswith("$ ")
    ]
    lines = "\n".join([*blocks(text, "sh"), *console]).replace("\\\n", " ").splitlines()
    return [line.strip() for line in lines if line.strip().startswith("residua ")]


COMMANDS = sorted({command for name in NAMES for command in _commands(read(name))})


@pytest.mark.parametrize("command", COMMANDS)
def test_command_lines_are_understood(command):
    arguments = shlex.split(command, comments=True)[1:]
    app.config = ()
    app.parse_args(arguments, exit_on_error=False, print_error=False)


def test_there_is_a_command_line_for_every_verb():
    shown = {command.split()[1] for command in COMMANDS}
    assert {name for name in app if not name.startswith("-")} - shown == set()


def _notebooks() -> list[str]:
    """Documents with Python in them, but for those whose every block another one shows as well."""
    shown = {name: {*blocks(read(name), "python")} for name in NAMES}
    return [
        name for name in NAMES if shown[name] and not any(shown[name] < other for other in shown.values())
    ]


@pytest.mark.parametrize("name", _notebooks())
def test_python_runs(name, tmp_path, monkeypatch, quiet_cache):
    """All blocks of one document, one after the other, as in one notebook."""
    monkeypatch.chdir(tmp_path)
    paint_folder(tmp_path / "photos", count=2)
    names: dict[str, object] = {"__name__": "example"}
    for block in blocks(read(name), "python"):
        if block.startswith(METHOD):
            continue
        for long, short in SHORTER.items():
            block = block.replace(long, short)
        exec(compile(block, name, "exec"), names)


def _bare(source: str) -> str:
    """Functions without their annotations and docstrings."""
    tree = ast.parse(source)
    for function in tree.body:
        function.returns = None
        for argument in function.args.args:
            argument.annotation = None
        if ast.get_docstring(function):
            del function.body[0]
    return ast.unparse(tree)


def test_layers_shown_are_those_of_the_source():
    shown = [block for name in NAMES for block in blocks(read(name), "python") if block.startswith(METHOD)]
    methods = (Linear.forward, Linear.backward)
    source = "\n".join(textwrap.dedent(inspect.getsource(method)) for method in methods)
    assert [_bare(block) for block in shown] == [_bare(source)]


def _shape(line: str) -> str:
    """A line of output without its figures, and without the mark of the best epoch."""
    return " ".join(re.sub(r"[\d.,]+", "0", line).removesuffix("  best").split())


def test_training_prints_what_the_readme_shows(tmp_path, monkeypatch, capsys, quiet_cache):
    monkeypatch.chdir(tmp_path)
    shown = next(block for block in blocks(read("README.md"), "console") if "residua train digits" in block)
    expected = shown.partition("\n\n$ ")[0].splitlines()[1:]
    code, out, err = call(capsys, "train", "digits", "--epochs", "2", "--threads", "1")
    assert code == 0, err
    printed = {_shape(line) for line in (out + err).splitlines()}
    assert [line for line in expected if line != "..." and _shape(line) not in printed] == []
