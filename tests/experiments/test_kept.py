"""A result that is kept comes out again, by the command that stands below it and by nothing else."""

from __future__ import annotations

import json

import pytest
from documents import ROOT
from tiny import answered

from residua.experiments.run import ExperimentRun


@pytest.mark.exhaustive
def test_a_kept_result_is_repeated_by_its_command(data_dir, tmp_path, capsys, monkeypatch):
    if not (data_dir / "weights" / "cifar10-resnets").exists():
        pytest.skip("weights/cifar10-resnets is not in RESIDUA_DATA")
    kept = json.loads((ROOT / "docs" / "results" / "insight.json").read_text(encoding="utf-8"))
    (row,) = [row for row in kept["variants"] if row["name"] == "cifar10-published"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(ExperimentRun, "_look", lambda self, look: [])  # pictures are tested elsewhere
    line = "residua experiment insight --variants cifar10-published --seeds 0"
    assert f"\n{line}\n" in (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    answered(capsys, *line.split()[1:])
    again = json.loads(
        (tmp_path / "experiments-out" / "insight" / "results.json").read_text(encoding="utf-8")
    )
    (same,) = [other for other in again["variants"] if other["name"] == row["name"]]
    # Another processor adds in another order: of 10,000 pictures two lie on an edge.
    assert same["runs"][0]["wrong"] == pytest.approx(row["runs"][0]["wrong"], abs=2)
