"""Naming pictures: the same numbers as in evaluation, in every form, whatever lies beside them."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import pytest
from tiny import COLOURS, answered, call, paint, refused

import residua
from residua.config import DataOptions, PredictConfig
from residua.data import open_dataset
from residua.data.batches import Batches
from residua.engines.numpy.engine import NumpyEngine
from residua.insight.prediction.numbers import predict_files
from residua.training.inference import predict_probabilities

pytestmark = pytest.mark.usefixtures("quiet_cache")


@pytest.fixture(scope="module")
def model(trained):
    return residua.load_model(trained / "run")


@pytest.fixture
def files(trained):
    return sorted((trained / "pics").rglob("*.png"))


# ---------------------------------------------------------------- the last digit
@pytest.fixture
def evaluated(model, trained):
    """{name of the file: probabilities}, as evaluation computes them for every split."""
    options = DataOptions(data=str(trained / "pics"), size=8, validation=0.1, test=0.1)
    data = open_dataset(options, 0, say=lambda line: None)
    found = {}
    for split in ("train", "validation", "test"):
        pictures = data.read(split)
        batches = Batches(pictures, model.preprocessing, None, 256)
        answers = predict_probabilities(NumpyEngine(), *model.frozen(), batches)
        found |= dict(zip(pictures.names, answers.probabilities, strict=True))
    return found


def test_large_pictures_are_answered_a_few_at_once(model, files, monkeypatch):
    """However many are read together: activations of a batch would take gigabytes."""
    shown = []
    import residua.insight.prediction.numbers as numbers

    make_infer = numbers.make_infer

    def counted(engine, network):
        infer = make_infer(engine, network)
        return lambda v, x: shown.append(len(x)) or infer(v, x)

    monkeypatch.setattr(numbers, "make_infer", counted)
    monkeypatch.setattr(numbers, "pictures_at_once", lambda network, shape: 4)
    config = PredictConfig(batch=10, engine="numpy")
    assert len(list(predict_files(model, files[:14], config))) == 14
    assert shown == [4, 4, 2, 4]


@pytest.mark.parametrize("batch", [1, 7, 64])
def test_predictions_equal_evaluation_to_the_last_digit(model, trained, files, evaluated, batch):
    config = PredictConfig(top=2, batch=batch, engine="numpy")
    predictions = list(predict_files(model, files, config))
    assert len(predictions) == len(files) == len(evaluated)
    for path, prediction in zip(files, predictions, strict=True):
        wanted = evaluated[path.relative_to(trained / "pics").as_posix()]
        assert {name: np.float32(share) for name, share in prediction.top} == dict(
            zip(model.classes, wanted, strict=True)
        )


@pytest.mark.parametrize("size", [8, 28, 33])
def test_an_answer_does_not_depend_on_its_batch_or_place(size):
    """Bit for bit, on networks of usual width: one picture at a time, in any order, in any company."""
    from residua.config import ModelOptions
    from residua.models import build_model
    from residua.training.inference import make_infer

    network = build_model(ModelOptions(model="resnet8", width=16, hidden=(24,)), channels=3, classes=10)
    frozen, variables = network.freeze(network.init(np.random.default_rng(0)))
    infer = make_infer(NumpyEngine(), frozen)
    rng = np.random.default_rng(1)
    images = rng.standard_normal((70, size, size, 3)).astype(np.float32)
    alone = np.concatenate([infer(variables, images[place : place + 1]) for place in range(70)])
    for batch in (2, 3, 7, 64, 70):
        order = rng.permutation(70)
        for start in range(0, 70, batch):
            places = order[start : start + batch]
            assert np.array_equal(infer(variables, images[places]), alone[places])


def test_bad_pictures_do_not_move_the_others(model, files, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"")
    alone = residua.predict(model, files[:5], engine="numpy")
    mixed = residua.predict(
        model, [tmp_path / "bad.png", *files[:3], tmp_path / "no.png", *files[3:5]], engine="numpy", batch=3
    )
    assert [entry for entry in mixed if entry.error is None] == alone
    assert [entry.file for entry in mixed if entry.error] == [
        str(tmp_path / "bad.png"),
        str(tmp_path / "no.png"),
    ]


# ---------------------------------------------------------------- forms
@pytest.fixture
def mixed(trained, tmp_path, monkeypatch):
    """A good picture, a bad one, an absent one and another good one."""
    monkeypatch.chdir(tmp_path)
    paint(tmp_path / "blue one, new.png", COLOURS["blue"], 1)
    paint(tmp_path / "red.png", COLOURS["red"], 2)
    (tmp_path / "bad.png").write_text("<html></html>")
    return [trained / "run", "blue one, new.png", "bad.png", "absent.png", "red.png"]


def told(err):
    lines = err.splitlines()
    assert lines == [
        "Engine: numpy",
        "residua: Cannot read bad.png: it holds a web page; fetch the picture itself.",
        "residua: Cannot read absent.png: there is no such file.",
    ]


def test_text(mixed, capsys):
    code, out, err = call(capsys, "predict", *mixed)
    assert code == 1
    told(err)
    first, bad, absent, second = out.splitlines()
    assert (bad, absent) == ("bad.png   cannot be read", "absent.png   cannot be read")
    assert re.fullmatch(r"blue one, new\.png   blue \d+\.\d %   red \d+\.\d %", first)
    assert re.fullmatch(r"red\.png   red \d+\.\d %   blue \d+\.\d %", second)
    shares = [float(share) for share in re.findall(r"([\d.]+) %", first)]
    assert sum(shares) == pytest.approx(100, abs=0.11)


def test_json(mixed, capsys):
    code, out, err = call(capsys, "predict", *mixed, "--json")
    assert code == 1
    told(err)
    entries = json.loads(out)
    assert [entry["file"] for entry in entries] == mixed[1:]
    assert [entry.get("class") for entry in entries] == ["blue", None, None, "red"]
    assert "error" in entries[1]
    assert "error" in entries[2]
    for entry in (entries[0], entries[3]):
        assert entry["top"][0] == {"class": entry["class"], "probability": entry["probability"]}
        assert sum(top["probability"] for top in entry["top"]) == pytest.approx(1, abs=1e-6)


def test_csv(mixed, capsys):
    code, out, err = call(capsys, "predict", *mixed, "--csv")
    assert code == 1
    told(err)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["file", "class", "probability", "class_2", "probability_2", "error"]
    assert [row["file"] for row in rows] == mixed[1:]
    assert [row["class"] for row in rows] == ["blue", "", "", "red"]
    assert [bool(row["error"]) for row in rows] == [False, True, True, False]
    exact = json.loads(call(capsys, "predict", *mixed, "--json")[1])
    assert float(rows[0]["probability"]) == exact[0]["probability"]


def test_all_good_is_exit_code_0_and_top_is_kept(mixed, capsys):
    run, good = mixed[0], [mixed[1], mixed[4]]
    out = answered(capsys, "predict", run, *good, "--top", "1")
    assert all(line.count("%") == 1 for line in out.splitlines())
    out = answered(capsys, "predict", run, *good, "--top", "99", "--csv")
    assert out.splitlines()[0] == "file,class,probability,class_2,probability_2,error"


def test_nothing_but_bad_pictures(mixed, capsys):
    for form in ([], ["--json"], ["--csv"]):
        code, _, err = call(capsys, "predict", mixed[0], "bad.png", "absent.png", *form)
        assert code == 1
        told(err)


def test_folders_are_searched_through_in_order(trained, capsys, tmp_path):
    out = answered(capsys, "predict", trained / "run", trained / "pics", "--top", "1")
    named = [line.split("   ")[0] for line in out.splitlines()]
    assert named == sorted(named)
    assert len(named) == 24
    (tmp_path / "empty").mkdir()
    line = refused(capsys, "predict", trained / "run", tmp_path / "empty")
    assert "holds no pictures that can be read" in line


def test_any_picture_is_brought_to_the_model_s_size_and_channels(trained, capsys, tmp_path):
    kinds = {"L": "grey.png", "RGBA": "clear.png", "P": "palette.gif", "CMYK": "print.jpg", "1": "ink.tif"}
    for mode, name in kinds.items():
        paint(tmp_path / name, COLOURS["red"], 3, mode)
    out = answered(capsys, "predict", trained / "run", tmp_path)
    assert len(out.splitlines()) == len(kinds)
    for name in ("clear.png", "palette.gif", "print.jpg"):
        assert re.search(rf"{name}   red ", out), name


def test_in_python(trained, model, files):
    """A model, a file of one, or a run folder; a path, a string, or several."""
    expected = residua.predict(model, files[0])
    assert residua.predict(trained / "run", str(files[0])) == expected
    assert residua.predict(str(trained / "run" / "best.safetensors"), [files[0]]) == expected
    with pytest.raises(residua.errors.ConfigError, match="--top takes 1 or more"):
        residua.predict(model, files, top=0)
    with pytest.raises(residua.errors.ConfigError, match=r"no option 'tpo'\. Did you mean 'top'"):
        residua.predict(model, files, tpo=1)
