"""What an ensemble's report says that each member, and each pair of them, is worth; on real digits."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tiny import answered

from residua import api
from residua.models.ensemble import join_models
from residua.models.model_file import load_model


@pytest.mark.parametrize("method", ["mean", "weighted", "vote"])
def test_the_report_says_what_each_is_worth(members, tmp_path, capsys, method):
    runs = [str(members / name) for name in ("one", "two")]
    file = tmp_path / "joined.safetensors"
    out = answered(capsys, "ensemble", file, *runs, "--method", method, "--split", "test", "--json")
    report = json.loads(out)
    alone = [api.evaluate(load_model(run), say=lambda line: None) for run in runs]
    whole = api.evaluate(load_model(file), say=lambda line: None)
    assert report["pictures"] == whole.pictures
    assert report["accuracy"] == whole.accuracy
    assert [member["alone"] for member in report["members"]] == [one.accuracy for one in alone]
    # Without one of two the other is alone.
    assert [member["without"] for member in report["members"]] == [one.accuracy for one in alone[::-1]]
    assert report["pairs"] == [[0, 1, whole.accuracy]]
    assert sum(member["weight"] for member in report["members"]) == pytest.approx(1)
    if method == "weighted":
        weights = tuple(member["weight"] for member in report["members"])
        assert load_model(file).network.weights == weights
        assert weights != (0.5, 0.5)


def test_the_report_in_words_and_who_has_seen_the_pictures(members, tmp_path, capsys):
    runs = [str(members / name) for name in ("one", "two", "three")]
    api_said = []
    model, report = api.ensemble(tmp_path / "m", runs, say=api_said.append)
    api_said.remove("Engine: numpy")
    assert [line.split(" had another split")[0] for line in api_said[:1]] == [runs[2]]
    assert "the same --seed gives the same split" in api_said[0]
    # The third has learnt what the others only looked at.
    assert api_said[1:] == [
        f"{report.trained_on} of these 144 pictures are among those that the model was trained on: "
        "the figures say less than they seem to"
    ]
    assert report.trained_on > 100
    assert len(report.pairs) == 3
    pair = join_models([load_model(run) for run in runs[1:]], runs[1:])
    pair = replace(pair, training=model.training)
    figures = api.evaluate(pair, split="validation", say=lambda line: None)
    assert report.members[0].without == report.pairs[2][2] == figures.accuracy
    text = answered(capsys, "ensemble", tmp_path / "again", *runs)
    assert f"all 3: {100 * report.accuracy:.2f} %" in text
    assert "2 + 3" in text
    assert (tmp_path / "again").read_bytes() == (tmp_path / "m").read_bytes()
