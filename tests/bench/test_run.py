"""`residua bench`: what it measures, says and writes; never how fast anything was."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from tiny import answered, call, refused

from residua.bench import (
    ALL,
    CASES,
    chosen_cases,
)
from residua.bench.cases import MEASURES
from residua.errors import ConfigError, RunError

SMOKE = ["bench", "--cases", "smoke", "--rounds", "2", "--threads", "1", "--engine", "numpy"]
MACHINE = {"system", "processor", "cores"}


def test_without_pytorch_residua_is_timed_alone(capsys, tmp_path, without_torch):
    path = tmp_path / "new" / "figures.json"
    said = answered(capsys, *SMOKE, "--json", path)
    assert "PyTorch is not installed (pip install 'residua[peer]')" in said
    figures = json.loads(path.read_text())
    assert set(figures["machine"]) == MACHINE
    assert {"python", "numpy", "numba", "torch"} <= set(figures["versions"])
    assert (figures["engine"], figures["threads"], figures["clock"]) == ("numpy", 1, "wall time")
    assert figures["sgemm_peak_gflops"] == 100
    assert [row["case"] for row in figures["results"]] == ["smoke", "smoke"]
    for row in figures["results"]:
        assert row["unit"] == "ms"
        assert set(row["sides"]) == {"residua"}
        assert "ratio" not in row
        side = row["sides"]["residua"]
        assert 0 < side["best"] <= side["low"] <= side["median"] <= side["high"]
        assert side["samples"] == 6
        assert "share_of_sgemm_peak" in side
        assert f"residua {side['median']:g} ms" in said


def test_with_pytorch_both_are_timed(capsys, tmp_path, peer):
    path = tmp_path / "figures.json"
    said = answered(capsys, *SMOKE, "--json", path)
    for row in json.loads(path.read_text())["results"]:
        assert set(row["sides"]) == {"residua", "PyTorch"}
        assert row["sides"]["PyTorch"]["mode"] in peer.LAYOUTS
        ratio = row["ratio"]
        assert row["ratio_of"] == "PyTorch / residua"
        medians = [row["sides"][side]["median"] for side in ("PyTorch", "residua")]
        assert ratio["of_medians"] == pytest.approx(medians[0] / medians[1], rel=1e-2)
        assert ratio["of_rounds"]["low"] <= ratio["of_rounds"]["high"]
        assert f"PyTorch / residua {ratio['of_medians']:.2f}" in said


def test_the_fast_engine_runs_too(capsys):
    pytest.importorskip("numba", reason="the fast engine is not installed")
    said = answered(capsys, "bench", "--cases", "smoke", "--rounds", 1, "--threads", 1, "--engine", "numba")
    assert "ResNet-8 of width 4 train step" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--cases", "mian"], "there is no case 'mian'. Did you mean 'main'?"),
        (["--cases", "main", "zzz"], "Choose from: all, bare, batches"),
        (["--rounds", "0"], "--rounds takes 1 or more; it was given 0"),
        (["--rounds", "1.5"], "--rounds takes a whole number"),
        (["--seconds", "-1"], "--seconds takes above 0"),
        (["--threads", "0"], "--threads takes 1 or more"),
        (["--json", "/dev/null/figures.json"], "--json takes a file that can be written"),
        (["--json", "/proc"], "--json takes a file that can be written"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(capsys, options, words):
    assert words in refused(capsys, "bench", *options)


def test_the_folder_can_be_run():
    command = [sys.executable, "-m", "residua.bench", "--cases", "mian"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "residua: there is no case 'mian'. Did you mean 'main'?\n"


def test_a_file_is_not_left_behind_by_the_look_at_its_place(capsys, tmp_path, monkeypatch):
    def broken(harness):
        raise RunError("no")
        yield

    monkeypatch.setitem(MEASURES, "smoke", broken)
    path = tmp_path / "figures.json"
    assert call(capsys, *SMOKE, "--json", path)[0] == 2
    assert not path.exists()


def test_every_case_is_described_and_measured():
    assert set(CASES) == set(MEASURES)
    assert chosen_cases(("all",)) == ALL
    assert chosen_cases(("bare", "all", "smoke"))[0] == "bare"
    assert sorted(chosen_cases(("bare", "all", "smoke", "ranks"))) == sorted(CASES)
    with pytest.raises(ConfigError, match="one or more cases"):
        chosen_cases(())
