"""`residua sweep` as its users meet it."""

from __future__ import annotations

import importlib
import io
import json
import re
import sys

import pytest
from rich.console import Console
from tiny import TINY, answered, call, refused

pytest.importorskip("optuna", reason="optuna is not installed")

import residua
from residua.cli.sweep import _table
from residua.errors import ConfigError
from residua.insight.sweeps.numbers import TrialRow

api = importlib.import_module("residua.api.sweep")


@pytest.fixture
def file(trained, tmp_path, monkeypatch, quiet_cache, stub_figures):
    """A sweep of two short trials, in the current folder."""
    import tomli_w

    monkeypatch.chdir(tmp_path)
    train = TINY | {"data": str(trained / "pics"), "engine": "numpy", "validation": 0.4, "epochs": 1}
    document = {"sweep": {"sampler": "grid"}, "train": train, "space": {"rate": [0.1, 0.02]}}
    path = tmp_path / "two.toml"
    path.write_text(tomli_w.dumps(document))
    return path


def test_a_sweep_in_a_pipe(file, capsys, tmp_path):
    out = answered(capsys, "sweep", "two.toml")
    lines = out.splitlines()
    assert lines[0] == "Folder of the sweep: sweeps/two  (2 trials, grid)"
    assert re.fullmatch(r"trial 0  rate 0.1  validation \d+\.\d\d %  1 epoch  [\d.]+ s  best", lines[1])
    assert lines[2].startswith("trial 1  rate 0.02  validation ")
    assert "two, grid: 2 trials (2 done)" in lines
    assert sum("measured once, for the best of 2 by validation" in line for line in lines) == 1
    assert lines[-1] == "Folder of the sweep: sweeps/two  with results.json, parallel.png, best.png"
    content = json.loads((tmp_path / "sweeps/two/results.json").read_text())
    assert len(content["rows"]) == content["test"]["chosen_among_trials"] == 2
    assert {path.name for path in (tmp_path / "sweeps/two").glob("*.png")} == {"parallel.png", "best.png"}
    best = next(line for line in lines if line.startswith("The best again: "))
    assert "--no-final-test" not in best
    # Going on with what is done changes nothing, by whatever name.
    for name in ("two.toml", "sweeps/two"):
        again = answered(capsys, "sweep", name).splitlines()
        assert again[1:] == lines[1:]


def test_the_best_again_gives_the_best_again(file, capsys, tmp_path):
    out = answered(capsys, "sweep", "two.toml")
    command = re.search(r"^The best again: residua (.*)$", out, re.MULTILINE)[1].split()
    again = answered(capsys, *command, "--run", "again", "--threads", "1")
    test = json.loads((tmp_path / "sweeps/two/results.json").read_text())["test"]
    assert f"Test accuracy: {100 * test['accuracy']:.2f} %" in again
    best = re.search(r"^Best model: (.*)$", out, re.MULTILINE)[1]
    assert (tmp_path / best).read_bytes() == (tmp_path / "again" / "best.safetensors").read_bytes()


def test_as_json(file, capsys, tmp_path):
    code, out, err = call(capsys, "sweep", "two.toml", "--json", "--output", "elsewhere")
    assert code == 0
    content = json.loads(out)
    assert [row["state"] for row in content["rows"]] == ["done", "done"]
    assert content["rows"][0]["run"] == "elsewhere/trials/0000"
    assert "trial 1  rate 0.02" in err


def test_in_python(file):
    heard = []
    result = residua.sweep(file, output="here", say=heard.append, on_rows=lambda rows: None)
    assert heard == ["Folder of the sweep: here  (2 trials, grid)"]
    assert result.best in result.rows
    assert result.test.pictures > 0
    with pytest.raises(ConfigError, match="--workers takes 1 to 1000"):
        residua.sweep(file, workers=0)


def test_several_workers_are_processes(file, capsys, monkeypatch):
    from residua.sweeps import workers
    from residua.sweeps.work import work

    asked = []

    def side_by_side(folder, count, on_change, say):
        asked.append(count)
        return work(folder, 1, on_change)

    monkeypatch.setattr(workers, "work_side_by_side", side_by_side)
    assert "2 trials (2 done)" in answered(capsys, "sweep", "two.toml", "--workers", "2")
    assert asked == [2]


def test_what_is_refused_is_refused_in_one_line(file, capsys, tmp_path, monkeypatch):
    text = file.read_text()
    assert "there is no sweep absent.toml" in refused(capsys, "sweep", "absent.toml")
    (tmp_path / "bad.toml").write_text(text.replace("rate = ", "rat = "))
    assert "bad.toml: [space] there is no option 'rat'. Did you mean 'rate'" in refused(
        capsys, "sweep", "bad.toml"
    )
    assert not (tmp_path / "sweeps").exists()
    answered(capsys, "sweep", "two.toml")
    file.write_text(text.replace("0.02", "0.03"))
    assert "sweeps/two holds another sweep than two.toml: [space] rate is" in refused(
        capsys, "sweep", "two.toml"
    )
    assert "leave out --output other" in refused(capsys, "sweep", "sweeps/two", "--output", "other")
    monkeypatch.setattr(api, "find_spec", lambda name: None)
    assert refused(capsys, "sweep", "two.toml") == (
        "sweep takes optuna, which is not installed: pip install 'residua[sweep]'"
    )


def test_a_sweep_without_a_whole_trial_says_why(file, capsys, monkeypatch):
    from residua.sweeps import trial

    monkeypatch.setattr(trial, "accuracy_of", lambda row: (_ for _ in ()).throw(MemoryError("8 GB")))
    line = refused(capsys, "sweep", "two.toml")
    assert "none of the first 2 trials of sweeps/two could be trained; the last: 8 GB" in line
    assert refused(capsys, "sweep", "two.toml") == line


def test_a_stopped_sweep_says_how_to_go_on(file, capsys, monkeypatch):
    from residua.sweeps import trial

    def interrupted(*arguments):
        raise KeyboardInterrupt("of one run")

    monkeypatch.setattr(trial, "_train", interrupted)
    code, _, err = call(capsys, "sweep", "two.toml")
    assert (code, err) == (130, "residua: Stopped; go on with: residua sweep sweeps/two\n")
    monkeypatch.undo()


def test_the_table_of_a_terminal(file, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    code, out, _ = call(capsys, "sweep", "two.toml")
    assert code == 0
    assert "two, grid: 2 trials (2 done)" in out


def test_those_that_are_trained_stand_first_and_the_best_of_the_rest_below():
    rows = [TrialRow(number, {"rate": 0.1}, "done", number / 30, 1.0, 3) for number in range(29)]
    rows.append(TrialRow(29, {"rate": 0.2}, "running", 0.1, note="host (process 7)"))
    rows.append(TrialRow(30, {}, "running"))
    page = io.StringIO()
    Console(file=page, width=100).print(_table(rows, 5))
    lines = [line.split() for line in page.getvalue().splitlines() if line.strip()]
    assert lines[0][:4] == ["31", "trials", "(29", "done,"]
    assert [line[0] for line in lines[2:]] == ["29", "30", "28", "27", "26"]
    assert lines[2][-4:] == ["by", "host", "(process", "7)"]
    assert lines[3][-1] == "begins"
