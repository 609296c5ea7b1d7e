"""What a power cut left of a run: its whole lines are used by every reader, and one line says so."""

from __future__ import annotations

import shutil

import pytest
from tiny import call

from residua.training.run_folder import read_log, torn_logs

pytestmark = pytest.mark.usefixtures("quiet_cache")


@pytest.fixture
def torn(trained, tmp_path, monkeypatch):
    """A run whose logs end in the middle of a line."""
    monkeypatch.chdir(trained)  # the data lies there
    run = tmp_path / "run"
    shutil.copytree(trained / "run", run)
    for name in ("log.jsonl", "timing.jsonl", "statistics.jsonl"):
        content = (run / name).read_bytes()
        (run / name).write_bytes(content[: content.rindex(b"\n", 0, -1) + 9])
    return run


@pytest.mark.parametrize("verb", ["curves", "report", "compare", "inside"])
def test_whole_lines_are_used(capsys, torn, tmp_path, verb):
    models = [torn, torn / "last.safetensors"] if verb == "compare" else [torn]
    where = tmp_path / ("o.png" if verb in ("curves", "compare") else "o")
    code, _, err = call(capsys, verb, *models, "--output", where)
    assert code == 0, err
    assert f"{torn / 'log.jsonl'}: 1 of 10 lines are damaged or unfinished, and left out" in err


def test_nothing_is_said_of_whole_logs(trained):
    assert torn_logs(trained / "run") == []
    assert len(read_log(trained / "run")) == 10


@pytest.mark.parametrize("name", ["log.jsonl", "timing.jsonl", "statistics.jsonl"])
def test_an_empty_log_is_no_reason_to_fail(capsys, torn, tmp_path, name):
    (torn / name).write_bytes(b"")
    code, _, err = call(capsys, "report", torn, "--output", tmp_path / "o")
    assert code == 0, err


@pytest.mark.parametrize("content", [b"", b"format", b"\0" * 200])
def test_half_a_run_toml_is_one_line(capsys, torn, content):
    (torn / "run.toml").write_bytes(content)
    code, _, err = call(capsys, "curves", torn)
    assert code == 2
    assert len(err.splitlines()) == 1
    assert "newer residua" not in err
