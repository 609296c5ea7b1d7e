"""The engine of a whole verb: chosen once, said first."""

from __future__ import annotations

import json

import pytest
from tiny import OPTIONS, answered, call

from residua.config import EvaluateConfig
from residua.engines.choice import EngineLine
from residua.engines.estimate import Work
from residua.insight.shared.engine_choice import settle_engine


def test_the_choice_is_said_and_kept():
    heard = []
    config = settle_engine(EvaluateConfig(engine="auto"), Work(1.0), heard.append)
    assert config.engine == "numpy"
    assert heard == ["Engine: numpy"]
    assert isinstance(heard[0], EngineLine)


@pytest.mark.parametrize(
    "verb", ["predict", "explain", "report", "mistakes", "evaluate", "calibrate", "inside"]
)
def test_the_first_line_says_which_engine_answers(capsys, trained, tmp_path, verb):
    """A model, a class that it does not know in the data, a text beside the pictures: all is said later."""
    model = tmp_path / "model.safetensors"
    model.write_bytes((trained / "run" / "best.safetensors").read_bytes())
    pictures = [trained / "pics" / "red"] if verb in ("predict", "explain") else []
    quick = {"explain": ["--methods", "gradient"], "inside": ["--map", "none"]}.get(verb, [])
    code, out, err = call(capsys, verb, model, *pictures, *quick)
    assert code == 0, err
    assert err.splitlines()[0] == "Engine: numpy"
    assert "Engine" not in out


@pytest.mark.usefixtures("stub_figures")
def test_training_tests_by_its_own_engine_and_says_nothing_of_it(capsys, trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = call(capsys, "train", trained / "pics", *OPTIONS, "--engine", "auto")
    assert code == 0, err
    assert "Test accuracy" in out
    assert "Engine" not in out + err


def test_what_programs_read_stays_clean(capsys, trained):
    out = answered(capsys, "predict", trained / "run", trained / "pics" / "red" / "0.png", "--json")
    assert json.loads(out)[0]["class"] == "red"
    table = answered(capsys, "predict", trained / "run", trained / "pics" / "red" / "0.png", "--csv")
    assert table.startswith("file,class,")
