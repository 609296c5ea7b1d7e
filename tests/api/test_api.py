"""The verbs in Python give what the command line prints, raise what it says, and leave models as they are."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from tiny import answered, contents, refused

import residua
from residua.errors import ResiduaError

pytestmark = pytest.mark.usefixtures("quiet_cache")


def test_evaluate_is_the_command(trained, tmp_path, capsys):
    found = residua.evaluate(trained / "run", say=lambda line: None, output=str(tmp_path / "a"))
    said = json.loads(answered(capsys, "evaluate", trained / "run", "--json", "--output", tmp_path / "b"))
    assert (found.pictures, found.correct, found.accuracy) == (
        said["pictures"],
        said["correct"],
        said["accuracy"],
    )


def test_predict_is_the_command(trained, capsys):
    folder = trained / "pics" / "red"
    found = residua.predict(trained / "run", folder)
    said = json.loads(answered(capsys, "predict", trained / "run", folder, "--json"))
    assert [prediction.top[0][0] for prediction in found] == [row["top"][0]["class"] for row in said]


def test_a_loaded_model_does_as_well_as_its_file(trained, tmp_path):
    before = contents(trained / "run")
    model = residua.load_model(trained / "run")
    one, other = (
        residua.evaluate(
            what, data=str(trained / "pics"), split="train", say=lambda line: None, output=str(tmp_path / "e")
        )
        for what in (model, trained / "run")
    )
    assert asdict(one)["accuracy"] == asdict(other)["accuracy"]
    assert contents(trained / "run") == before


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("evaluate", ["absent.safetensors"]),
        ("predict", ["absent.safetensors", "no.png"]),
        ("mistakes", ["absent.safetensors"]),
        ("calibrate", ["absent.safetensors"]),
        ("curves", ["absent"]),
        ("explain", ["absent.safetensors", "no.png"]),
    ],
)
def test_errors_are_the_line_of_the_command(verb, arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    said = refused(capsys, verb, *arguments)
    function = getattr(residua, verb)
    with pytest.raises(ResiduaError) as caught:
        function(arguments if verb == "curves" else arguments[0], *arguments[1:])
    assert str(caught.value) in said
    assert list(tmp_path.iterdir()) == []
