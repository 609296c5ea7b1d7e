"""Weights that others published answer the test pictures of an experiment, without any training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tiny import answered, call

from residua import api
from residua.experiments.published_weights import import_command
from residua.models.model_file import load_model, save_model

FILE = """
title = "Somebody else's"
where = "Ask the painter."
[options]
data = "digits"
[[variant]]
name = "theirs"
weights = "weights/painted.pth"
imports = { classes = "blue,red", mean = [0.5, 0.4, 0.3] }
published = 90.0
source = "the painter"
[[look]]
verb = "mistakes"
of = "theirs"
"""


@pytest.fixture
def one(tmp_path, quiet_cache):
    """The arguments of the experiment in a file of one's own."""
    (tmp_path / "painted.toml").write_text(FILE)
    return ("experiment", tmp_path / "painted.toml", "--output", tmp_path / "out", "--engine", "numpy")


def test_they_stand_beside_what_their_publisher_counted(one, trained, tmp_path, capsys, monkeypatch):
    """What imports them is tested where it stands; here it gives a network of our own."""
    asked = []

    def import_weights(weights, *, output, **options):
        asked.append((weights, options))
        Path(output).parent.mkdir(parents=True)
        save_model(output, load_model(trained / "run" / "best.safetensors"))

    monkeypatch.setattr(api, "import_weights", import_weights)
    assert "%**, -" in answered(capsys, *one)
    assert asked == [("weights/painted.pth", {"classes": "blue,red", "mean": (0.5, 0.4, 0.3)})]
    results = json.loads((tmp_path / "out" / "painted" / "results.json").read_text(encoding="utf-8"))
    (run,) = results["variants"][0]["runs"]
    assert (run["state"], run["machine"]["cores"] > 0, "numpy" in run["versions"]) == ("finished", True, True)
    assert run["command"] == (
        "residua import weights/painted.pth --classes blue,red --mean 0.5 0.4 0.3 "
        "--output experiments-out/painted/theirs/seed-0/best.safetensors"
    )
    assert "mistakes-theirs/mistakes.png" in results["pictures"]
    answered(capsys, *one)
    assert len(asked) == 1, "kept"


def test_those_that_are_absent_say_where_to_get_them(one, capsys):
    code, printed, _ = call(capsys, *one)
    assert code == 2
    assert printed.count("Ask the painter.") == 1
    assert "cannot read weights/painted.pth: No such file" in printed
    assert "not run: the published weights are not at hand" in printed


def test_the_command_says_what_is_not_the_default():
    assert import_command("a.pth", {}, "out") == "residua import a.pth --output out/best.safetensors"
