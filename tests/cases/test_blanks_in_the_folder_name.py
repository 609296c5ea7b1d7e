"""Folders called 'my photos': every command that is printed can be pasted."""

from __future__ import annotations

import os
import re
import shlex
import signal
from pathlib import Path

import pytest
from tiny import OPTIONS, answered, call, paint_folder

import residua
from residua.training.progress import Quiet
from residua.verbs import VERBS

pytestmark = pytest.mark.usefixtures("quiet_cache")
TRAIN = [*OPTIONS, "--engine", "numpy", "--no-final-test"]


class StopsAtOnce(Quiet):
    """Asks the run to stop, as Ctrl-C does, while its first step is under way."""

    def step(self, pictures, loss, accuracy):
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("run", ["my run", "-run $x", "it's\na run"])
def test_what_a_stopped_run_prints_goes_on_with_it(capsys, tmp_path, monkeypatch, run):
    monkeypatch.chdir(tmp_path)
    paint_folder(tmp_path / "my photos", ("tabby cat", "sheep dog"))
    monkeypatch.setattr("residua.training.progress.make_reporter", StopsAtOnce)
    code, _, err = call(capsys, "train", "my photos", *TRAIN, f"--run={run}")
    assert code == 130
    pasted = re.search(r"go on with: residua (.*)", err)[1]
    monkeypatch.setattr("residua.training.progress.make_reporter", Quiet)
    words = ["train", "--resume", f"./{run}"] if "$'" in pasted else shlex.split(pasted)
    assert Path(words[-1]) == Path(run)
    assert "Run folder" in answered(capsys, *words)


def test_what_a_used_folder_prints_goes_on_with_it(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paint_folder(tmp_path / "my photos")
    (tmp_path / "my run").mkdir()
    (tmp_path / "my run" / "run.toml").write_text("format = 1\n")
    code, _, err = call(capsys, "train", "my photos", *TRAIN, "--run", "my run")
    assert code == 2
    assert "`residua train --resume 'my run'`" in err


def test_no_command_is_printed_with_a_bare_name():
    """A name in a printed command comes out of `files.names.command`, which quotes it."""
    names = "|".join(verb.name for verb in VERBS)
    bare = re.compile(rf"residua (?:{names}) [^\"'`]*\{{")
    for path in sorted(Path(residua.__file__).parent.rglob("*.py")):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not bare.search(line), f"{path}: {line}"
