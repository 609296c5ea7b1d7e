"""A split measured in parts: the figures of `evaluate`, and a table with the true class of every picture."""

from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest
from small_models import small_model
from tiny import answered, call, contents, paint, paint_folder, refused
from workers_here import InThisProcess

import residua
from residua.bulk import run as running
from residua.models.model_file import save_model

pytestmark = pytest.mark.usefixtures("quiet_cache")
OPTIONS = ["--engine", "numpy", "--part", "5"]


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """No processes but this one."""

    monkeypatch.setattr(running, "LocalWorkers", InThisProcess)


@pytest.fixture
def run(trained, tmp_path):
    """A run folder in which a picture may be drawn."""
    return shutil.copytree(trained / "run", tmp_path / "run")


def measured(capsys, *arguments):
    return json.loads(answered(capsys, "evaluate", *arguments, "--json"))


def same_but_for_sums(one, other):
    """Whether two evaluations have the same figures; sums of logarithms differ in their last digits."""
    assert one.keys() == other.keys()
    for name, value in one.items():
        if name in ("loss", "calibration_error"):
            assert value == pytest.approx(other[name], rel=1e-12), name
        else:
            assert value == other[name], name


@pytest.mark.parametrize("split", ["test", "train", "validation"])
def test_the_figures_of_the_models_own_splits(run, tmp_path, capsys, split):
    whole = measured(capsys, run, "--split", split, "--engine", "numpy")
    parts = ["--parts", tmp_path / split, "--split", split, *OPTIONS]
    same_but_for_sums(measured(capsys, run, *parts), whole)
    assert (tmp_path / split / "confusion.png").exists()


def test_other_data_as_a_whole_and_what_the_model_has_seen_of_them(trained, run, tmp_path, capsys):
    shutil.copytree(trained / "pics", tmp_path / "more")
    paint(tmp_path / "more" / "green" / "0.png", (0, 200, 0), 1)
    asked = ["--data", tmp_path / "more", "--engine", "numpy"]
    code, out, told = call(capsys, "evaluate", run, *asked, "--json")
    whole = json.loads(out)
    assert code == 0
    assert whole["trained_on"] > 0
    assert whole["left_out"] == {"green": 1}
    code, out, err = call(
        capsys, "evaluate", run, *asked, "--parts", tmp_path / "job", "--part", "5", "--json"
    )
    assert code == 0
    same_but_for_sums(json.loads(out), whole)
    assert {line for line in told.splitlines() if "among those" in line} <= set(err.splitlines())


def test_the_table_names_the_true_class_and_what_was_answered(trained, tmp_path, capsys):
    found = measured(capsys, trained / "run", "--parts", tmp_path / "job", *OPTIONS)
    rows = list(csv.DictReader((tmp_path / "job" / "predictions.csv").read_text().splitlines()))
    assert len(rows) == found["pictures"]
    counts = np.zeros((2, 2), int)
    names = [entry["name"] for entry in found["classes"]]
    for row in rows:
        counts[names.index(row["truth"]), names.index(row["class"])] += 1
    assert counts.tolist() == found["confusion"]


@pytest.mark.parametrize("table", ["jsonl", "parquet"])
def test_other_tables_have_it_too(trained, tmp_path, capsys, table):
    if table == "parquet":
        pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    measured(capsys, trained / "run", "--parts", tmp_path / "job", *OPTIONS, "--table", table)
    path = tmp_path / "job" / f"predictions.{table}"
    if table == "jsonl":
        rows = [json.loads(line) for line in path.read_text().splitlines()]
    else:
        import pyarrow.parquet

        rows = pyarrow.parquet.read_table(path).to_pylist()
    assert {row["truth"] for row in rows} == {"blue", "red"}


def test_the_same_command_goes_on_and_counts_nothing_twice(trained, tmp_path, capsys):
    parts = [trained / "run", "--parts", tmp_path / "job", *OPTIONS]
    first = measured(capsys, *parts)
    whole = contents(tmp_path / "job")
    (tmp_path / "job" / "part-00000.json").unlink()
    assert measured(capsys, *parts) == first
    assert contents(tmp_path / "job") == whole


def test_a_picture_that_cannot_be_read_is_left_out_and_named(trained, tmp_path, capsys):
    paint_folder(tmp_path / "more", count=6, seed=9)
    (tmp_path / "more" / "red" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    asked = [trained / "run", "--data", tmp_path / "more", "--parts", tmp_path / "job", *OPTIONS]
    code, out, err = call(capsys, "evaluate", *asked, "--json")
    assert code == 0
    assert json.loads(out)["pictures"] == 12
    assert "1 of them cannot be read: their rows say why" in err
    rows = csv.DictReader((tmp_path / "job" / "predictions.csv").read_text().splitlines())
    (row,) = [row for row in rows if row["error"]]
    assert (row["truth"], row["class"], row["probability_2"]) == ("red", "", "")
    assert "broken.png" in row["error"]
    refused(capsys, "evaluate", *asked, "--max-failures", "0", "--parts", tmp_path / "other")


def test_a_job_of_predict_and_other_options_are_refused(trained, tmp_path, capsys):
    job = ["--engine", "numpy", "--part", "5"]
    call(capsys, "predict", trained / "run", trained / "pics", "--output", tmp_path / "job", *job)
    line = refused(capsys, "evaluate", trained / "run", "--parts", tmp_path / "job", *job)
    assert "was begun with `residua predict`: choose another folder with --output" in line
    measured(capsys, trained / "run", "--parts", tmp_path / "other", *job)
    line = refused(
        capsys, "evaluate", trained / "run", "--parts", tmp_path / "other", *job, "--split", "train"
    )
    assert "was begun with --split test, not train: choose another folder with --parts" in line
    assert "name it with --parts" in refused(capsys, "evaluate", trained / "run", "--workers", "2")


def test_pictures_known_by_their_pixels_alone_are_refused(trained, tmp_path, capsys):
    run = tmp_path / "apart"
    options = ["--copies", "apart", "--epochs", "1", "--model", "resnet8", "--width", "4", "--size", "8"]
    pics = [trained / "pics", *options, "--engine", "numpy", "--run", run]
    assert call(capsys, "train", *pics)[0] == 0
    parts = ["evaluate", run, "--parts", tmp_path / "job", *OPTIONS]
    line = refused(capsys, *parts, "--split", "validation")
    assert "known by their pixels (--copies apart): measure them without --parts" in line
    assert call(capsys, *parts)[0] == 0


def test_published_arrays_are_refused(tmp_path, capsys):
    save_model(tmp_path / "model.safetensors", small_model(size=8, channels=1, width=4))
    line = refused(
        capsys, "evaluate", tmp_path / "model.safetensors", "--data", "digits", "--parts", tmp_path / "job"
    )
    assert "digits comes as arrays" in line
    assert "without --parts" in line


def test_in_python(trained, tmp_path):
    said = []
    found = residua.evaluate_in_parts(
        trained / "run", None, tmp_path / "job", part=5, engine="numpy", say=said.append
    )
    assert found.confusion.sum() == found.pictures
    assert any("predictions.csv" in line for line in said)
