"""Whole pipelines: what they work on, the programs that run, and the table of them."""

from __future__ import annotations

import csv
import sys

import numpy as np
import pytest
from bench_harness import harness_with

from residua.bench.pipelines import material, measure, processes, residua_cifar, residua_predict, waiting
from residua.bench.pipelines.processes import Finished, run_program, tree_memory
from residua.errors import RunError


@pytest.fixture
def few(tmp_path, monkeypatch):
    """Six photographs of each class, made up."""
    monkeypatch.delenv("RESIDUA_DATA", raising=False)
    monkeypatch.setattr(material, "EACH", 6)
    monkeypatch.setattr(material, "PREDICTED", 5)
    return material.make_material(tmp_path)


def test_without_data_pictures_and_weights_are_made_up(few):
    assert few.kind == "5 photographs that were made up"
    assert len(list(few.photographs.iterdir())) == 5
    assert sorted(path.name for path in few.classes.iterdir()) == ["cat", "dog"]
    assert len(list(few.classes.glob("*/*.jpg"))) == 12
    assert len(few.names.read_text().splitlines()) == 1000


def test_a_program_tells_its_time_and_is_watched():
    finished = run_program("residua", ["--version"], watch=True)
    assert finished.seconds > 0
    assert finished.inside != finished.inside
    if sys.platform == "linux":
        assert finished.memory > 5
        assert tree_memory(1 << 30) == 0


def test_a_program_that_fails_is_told_in_one_line(tmp_path):
    with pytest.raises(RunError, match="residua ended with code 2: residua: cannot read"):
        run_program("residua", ["predict", tmp_path / "no", "x"], output=tmp_path / "out")


@pytest.mark.exhaustive
def test_both_sides_name_the_same_classes(few, tmp_path, capsys):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from residua.bench import pytorch
    from residua.bench.pipelines import pytorch_predict, pytorch_transfer

    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    residua_predict.main(str(few.model), str(few.photographs), str(ours), 1, "numpy")
    pytorch.save_squeezenet(few.variables, few.weights)
    pytorch_predict.main(str(few.weights), str(few.names), str(few.photographs), str(theirs), 1, 0)
    rows = [list(csv.reader(path.read_text().splitlines()))[1:] for path in (ours, theirs)]
    assert len(rows[0]) == len(rows[1]) == 5
    assert [row[0] for row in rows[0]] == [row[0] for row in rows[1]]
    for one, other in zip(*rows, strict=True):
        assert float(one[2]) == pytest.approx(float(other[2]), rel=0.2)
    pytorch_transfer.main(str(few.weights), str(few.classes), str(tmp_path / "transfer.pth"), 1, 0)
    assert (tmp_path / "transfer.pth").exists()
    assert capsys.readouterr().out.count("inside ") == 3


@pytest.mark.exhaustive
def test_both_sides_train_on_small_pictures(tmp_path, capsys):
    rng = np.random.default_rng(0)
    pixels, labels = tmp_path / "pixels.npy", tmp_path / "labels.npy"
    np.save(pixels, rng.integers(0, 256, (256, 32, 32, 3), np.uint8))
    np.save(labels, rng.integers(0, 10, 256))
    residua_cifar.main(str(pixels), str(labels), 1, 1, "numpy")
    assert capsys.readouterr().out.startswith("inside ")
    pytest.importorskip("torch", reason="PyTorch is not installed")
    from residua.bench.pipelines import pytorch_cifar

    pytorch_cifar.main(str(pixels), str(labels), 1, 1, 0)
    loss, inside = capsys.readouterr().out.splitlines()
    assert 1 < float(loss.split()[1]) < 6
    assert inside.startswith("inside ")


def test_every_pipeline_has_its_time_and_its_memory(few, tmp_path, monkeypatch):
    """Programs that take as long as they are told to."""
    asked = []

    def run(module, arguments, output=None, environment=None, watch=False):
        asked.append((module, list(map(str, arguments)), environment))
        side = "pytorch" in module
        return Finished(8.0 if side else 2.0, 6.0 if side else 1.0, 900.0 if side else 300.0)

    class Peer:
        LAYOUTS = ()
        saved = None

        def save_squeezenet(self, variables, file):
            self.saved = file

    monkeypatch.setattr(measure, "run_program", run)
    monkeypatch.setattr(measure, "make_material", lambda folder: few)
    monkeypatch.setattr(measure, "write_small_pictures", lambda folder, batch: _written(tmp_path))
    peer = Peer()
    rows = [result.row() for result in measure.measure(harness_with(peer))]
    assert peer.saved == few.weights
    assert [(row["unit"], row.get("to_reach"), row["ratio"]["of_medians"]) for row in rows] == [
        ("s", ">= 1.5", 4.0),
        ("MiB", "<= 1", 0.3333),
        ("s", None, 6.0),
        ("s", ">= 3", 4.0),
        ("MiB", "<= 1", 0.3333),
        ("s", ">= 3.3", 6.0),
        ("MiB", "<= 1", 0.3333),
    ]
    assert all(row["case"] == "pipeline" and row.get("reached", True) for row in rows)
    caches = [environment["XDG_CACHE_HOME"] for _, words, environment in asked if environment]
    assert len(set(caches)) == len(caches) > 1
    alone = [result.row() for result in measure.measure(harness_with())]
    assert all(set(row["sides"]) == {"residua"} for row in alone)


def _written(folder):
    np.save(folder / "labels.npy", np.zeros(300, np.int64))
    return folder / "pixels.npy", folder / "labels.npy", "random pictures"


def test_programs_take_turns():
    from residua.bench.timing import turns

    assert list(turns(["a", "b"], 3, 60)) == ["a", "b", "b", "a", "a", "b"]
    assert list(turns(["a", "b"], 3, 0)) == ["a", "b"]
    assert processes.LOOK_SECONDS < 1


def test_the_verbs_that_are_waited_for_run_as_a_user_types_them(few, monkeypatch):
    """The default engine has a ratio to the fastest and seconds; explaining and reporting have seconds."""
    asked = []

    def run(module, arguments, output=None, environment=None, watch=False):
        words = [str(word) for word in arguments]
        asked.append(words)
        return Finished(6.0 if "--engine" in words else 8.0, 1.0, 300.0)

    monkeypatch.setattr(waiting, "run_program", run)
    monkeypatch.setattr(waiting, "make_material", lambda folder: few)
    rows = [result.row() for result in waiting.measure(harness_with())]
    assert [(row["to_reach"], row["reached"]) for row in rows] == [
        ("<= 1.15", False),
        ("<= 20 s", True),
        ("<= 20 s", True),
        ("<= 30 s", True),
    ]
    assert rows[0]["ratio"]["of_medians"] == pytest.approx(8 / 6, rel=1e-3)
    assert {words[0] for words in asked} == {"predict", "train", "explain", "report"}
    verbs = ("predict", "explain", "report")
    assert any("--engine" not in words for words in asked if words[0] in verbs)
    explained = next(words for words in asked if words[0] == "explain")
    assert explained[2 : 2 + 3] == [str(file) for file in sorted(few.photographs.iterdir())[:3]]
