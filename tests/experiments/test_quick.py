"""Every experiment that residua brings, run through on a slice of real data."""

from __future__ import annotations

import json
import os
from functools import cache

import published
import pytest
from tiny import call

from residua.data import published_arrays
from residua.experiments.catalogue import experiment_names, find_experiment

# Which of them need what of the folder of real data; State Farm's drivers are made up below.
NEEDS = {"cats-dogs": "cats-dogs", "cifar10": "cifar-10-batches-py", "mnist": "mnist", "notmnist": "notmnist"}
CIFAR = cache(published_arrays.read_cifar)
# Of the long ones a few variants will do: what is the same in all is trained often enough.
SOME = {
    "cifar10-variations": ["n1-padding2", "n3-half"],
    "two-classes": ["vgg16-scratch-0.01", "vgg16-published-0.01", "squeezenet-frozen-0.001"],
    "degradation": ["plain20", "resnet20"],
}


@pytest.fixture
def real_data(data_dir, monkeypatch):
    """The folder of real data, whose CIFAR is read once for all."""
    monkeypatch.setattr(published_arrays, "read_cifar", CIFAR)
    return data_dir


def run_quick(capsys, tmp_path, name, *more):
    """(exit code, the results, what was printed) of a quick run."""
    code, out, err = call(
        capsys,
        "experiment",
        name,
        "--quick",
        "--engine",
        "numpy",
        "--threads",
        1,
        "--output",
        tmp_path,
        *more,
    )
    assert code == 0 or "not at hand" in out, err
    return code, json.loads((tmp_path / "quick" / name / "results.json").read_text(encoding="utf-8")), out


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", [name for name in experiment_names() if name != "state-farm"])
def test_a_quick_run(name, real_data, tmp_path, capsys):
    found = find_experiment(name)
    for variant in (variant for variant in found.variants if not variant.skip_quick):
        options = find_experiment(variant.uses.partition("/")[0]).options if variant.uses else found.options
        if not (real_data / NEEDS[options["data"]]).exists():
            pytest.skip(f"{options['data']} is not in RESIDUA_DATA")
    chosen = SOME.get(name, [])
    more = ("--variants", *chosen) if chosen else ()
    code, results, out = run_quick(capsys, tmp_path, name, *more)
    assert code == (2 if name == "two-classes" else 0)
    assert results["quick"]
    done = {row["name"] for row in results["variants"] if "mean" in row}
    asked = chosen or [variant.name for variant in found.variants if not variant.skip_quick]
    assert done >= set(asked) - {"vgg16-published-0.01"}
    folder = tmp_path / "quick" / name
    for look in found.looks:
        if found.variant(look.of).skip_quick:
            continue
        assert list((folder / f"{look.verb}-{look.of}").glob("*.png")), look
    assert all((folder / picture).exists() for picture in results["pictures"])
    if name.startswith("mnist"):
        assert "The training pictures have the mean " in out
    if name == "two-classes":
        row = next(row for row in results["variants"] if row["name"] == "vgg16-published-0.01")
        assert row["missing"] == "the published weights are not at hand"
        runs = {row["name"]: row["runs"] for row in results["variants"]}
        assert "data_mean" in runs["vgg16-scratch-0.01"][0]
        assert "data_mean" not in runs["squeezenet-frozen-0.001"][0], "that of its base's pictures"
        assert out.count("there is no weights/vgg16-397923af.pth") == 1


def test_state_farm_by_picture_and_by_driver(tmp_path, capsys, monkeypatch):
    """In the publisher's layout, with made-up pictures: the networks see 32x32 out of 48x64."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "user-cache"))
    monkeypatch.delenv("RESIDUA_DATA", raising=False)
    published.state_farm(tmp_path / "state-farm", classes=3, each=4)
    shown = ["picture-32", "driver-32", "scaled-32"]
    _, results, out = run_quick(
        capsys, tmp_path / "out", "state-farm", "--data-dir", tmp_path, "--variants", *shown
    )
    assert [row["name"] for row in results["variants"] if "mean" in row] == shown
    assert "48x64x3" in out
    assert "32x32x3" in out
    assert out.count("--groups leaky") >= 2


def test_state_farm_says_where_to_get_it(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RESIDUA_DATA", str(tmp_path))
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: str(tmp_path / "user-cache"))
    code, results, out = run_quick(capsys, tmp_path / "out", "state-farm")
    assert code == 2
    assert "fetch it from https://www.kaggle.com/c/state-farm" in out
    assert {row["missing"] for row in results["variants"]} == {"the data are not at hand"}
    assert os.listdir(tmp_path / "out" / "quick") == ["state-farm"]
