"""Kept results are looked at again: what stands, what does not, and what must be repeated."""

from __future__ import annotations

import json
import shutil

import pytest
from colours import do_experiment
from tiny import answered, call, contents, refused

FILE = """
title = "Two colours"
about = "One network, and joined with itself."
[options]
data = "{data}"
engine = "numpy"
{options}
[[variant]]
name = "one"
seeds = [0]
[[variant]]
name = "both"
seeds = [0]
members = ["one", "one"]
[[variant]]
name = "six"
seeds = [0]
members = ["one"]
views = "six"
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder of results of an experiment, and its pictures; to copy only."""
    return do_experiment(tmp_path_factory.mktemp("verified"), FILE, count=10, epochs=1)


@pytest.fixture
def out(done, tmp_path, quiet_cache):
    return shutil.copytree(done / "out", tmp_path / "out")


def change(path, edit):
    results = json.loads(path.read_text())
    edit(results)
    path.write_text(json.dumps(results))


def test_results_whose_models_answer_as_then_stand(out, tmp_path, capsys):
    before = contents(out)
    said = answered(capsys, "experiment", "verify", "--output", out).splitlines()
    results = json.loads((out / "colours" / "results.json").read_text())
    wrong = [row["runs"][0]["wrong"] for row in results["variants"]]
    assert said == [
        f"colours, one, seed 0: stands: {wrong[0]} of 2 wrong",
        f"colours, both, seed 0: stands: {wrong[1]} of 2 wrong",
        f"colours, six, seed 0: stands: {wrong[2]} of 2 wrong",
        "3 stands",
    ]
    assert contents(out) == before
    kept = shutil.copy(out / "colours" / "results.json", tmp_path / "colours.json")
    for named in (kept, tmp_path):
        part = answered(capsys, "experiment", "verify", named, "--output", out, "--variants", "one")
        assert part.splitlines() == [said[0], "1 stands"]


def test_results_of_quick_runs_are_looked_for_where_those_are(done, tmp_path, quiet_cache, capsys):
    out = tmp_path / "out"
    answered(capsys, "experiment", done / "colours.toml", "--quick", "--output", out)
    kept = shutil.copy(out / "quick" / "colours" / "results.json", tmp_path / "colours.json")
    for found in (out / "quick", kept):
        said = answered(capsys, "experiment", "verify", found, "--output", out).splitlines()
        assert [line.split(": ")[1] for line in said[:-1]] == ["stands"] * 3
        assert said[-1] == "3 stands"


def test_what_does_not_stand_is_told_with_exit_code_1(out, capsys):
    def edit(results):
        run = results["variants"][0]["runs"][0]
        run["wrong"] += 1
        results["variants"][1]["mean"] += 2.5

    change(out / "colours" / "results.json", edit)
    code, said, _ = call(capsys, "experiment", "verify", "--output", out)
    assert code == 1
    one, _, mean, _, count = said.splitlines()
    assert one.startswith("colours, one, seed 0: does not stand: ")
    assert " wrong now, " in one
    assert "what was kept is repeated by: residua train " in one
    assert mean.startswith("colours, both: does not stand: its runs have a mean of ")
    assert count == "2 does not stand, 2 stands"


def test_what_is_not_at_hand_is_told_with_its_command(out, capsys):
    shutil.rmtree(out / "colours" / "one")
    one, both, six, count = answered(capsys, "experiment", "verify", out / "colours").splitlines()
    assert one.startswith(f"colours, one, seed 0: not at hand: no run in {out}")
    assert "; repeat it with: residua train " in one
    assert one.endswith("--run experiments-out/colours/one/seed-0")
    assert both.startswith("colours, both, seed 0: stands")
    assert six.endswith("residua evaluate experiments-out/colours/one/seed-0 --views six")
    assert count == "2 not at hand, 1 stands"


def test_what_holds_no_results_is_refused(out, tmp_path, capsys):
    assert "there are no results of 'degradatoin'. Did you mean 'degradation'?" in refused(
        capsys, "experiment", "verify", "degradatoin", "--output", out
    )
    told = refused(capsys, "experiment", "verify", "--output", tmp_path / "none")
    assert (
        told
        == f"{tmp_path / 'none'} holds no results of experiments: name a file of results, or a folder of some"
    )
    (tmp_path / "log.json").write_text("{}")
    assert "holds no results of an experiment" in refused(
        capsys, "experiment", "verify", tmp_path / "log.json"
    )
