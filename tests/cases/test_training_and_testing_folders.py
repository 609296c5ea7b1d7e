"""Folders called Training and Testing, or Train and Test, are splits and never classes."""

from __future__ import annotations

import pytest
from brought import ONE_EPOCH, paint_plan
from data_sets import opened_small, rejected_small
from tiny import answered, call, refused

from residua.api import check_data
from residua.models.model_file import load_model

pytestmark = pytest.mark.usefixtures("quiet_cache")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_brain_scans_in_every_verb(here, capsys):
    plan = {"Training/glioma": 12, "Training/healthy": 12, "Testing/glioma": 6, "Testing/healthy": 6}
    paint_plan(here / "brain", plan)
    code, out, err = call(capsys, "check", "brain", "--size", "8", "--no-near")
    assert code == 0
    assert "brain: read with Testing/ as test, Training/ as train." in err
    assert "glioma" in out
    assert "Testing" not in out
    findings, _ = check_data("brain", say=lambda line: None, size=8, near=False)
    assert findings.to_dict()["read_as"][0] == "brain: read with Testing/ as test, Training/ as train."
    out = answered(capsys, "train", "brain", *ONE_EPOCH, "--run", "run")
    assert load_model("run").classes == ("glioma", "healthy")
    assert "test split: 12 pictures" in answered(capsys, "evaluate", "run")


@pytest.mark.parametrize(
    ("train", "validation", "test"),
    [
        ("Train", "Val", "Test"),
        ("TRAIN", "VALID", "TEST"),
        ("seg_train", "seg_dev", "seg_test"),
        ("train_set", "validation_set", "test_set"),
        ("TrainingSet", "DevSet", "evaluation"),
        ("Train", "val", "testing"),
        ("train/images", "val/images", "test/data"),
        ("seg_train/seg_train", "seg_val/seg_val", "seg_test/seg_test"),
        ("archive/brain/Training", "archive/brain/Valid", "archive/brain/Testing"),
    ],
)
def test_spellings_and_wrappers(tmp_path, train, validation, test):
    counts = {train: 5, validation: 2, test: 3}
    plan = {f"{split}/{kind}": count for split, count in counts.items() for kind in ("cat", "dog")}
    said = []
    data = opened_small(paint_plan(tmp_path / "pets", plan), said=said)
    assert data.classes == ("cat", "dog")
    assert [sum(data.counts(split).values()) for split in ("train", "validation", "test")] == [10, 4, 6]
    assert all(name.startswith(f"{train}/") for name in data.read("train").names)
    assert any(f"{train.split('/')[-1]}/ as train" in line for line in said)


@pytest.mark.parametrize("wrapper", ["images", "data/data", "My Pets"])
def test_single_wrappers_of_classes(tmp_path, wrapper):
    plan = {f"{wrapper}/{kind}": 5 for kind in ("cat", "dog")}
    paint_plan(tmp_path / "pets", plan)
    (tmp_path / "pets" / "annotations").mkdir()
    (tmp_path / "pets" / "annotations" / "cat.xml").write_text("<xml/>")
    said = []
    assert opened_small(tmp_path / "pets", said=said).classes == ("cat", "dog")
    assert f"read from {wrapper}/, the only folder with pictures" in said[0]


@pytest.mark.parametrize(
    ("plan", "text"),
    [
        ({"fold1/cat": 3, "fold1/dog": 3, "fold2/cat": 3, "fold2/dog": 3}, "holds parts (fold1, fold2)"),
        ({"fold1": 3, "fold2": 3}, "holds parts (fold1, fold2)"),
        (
            {"part_1/cat": 3, "part_1/dog": 3, "part_2/cat": 3, "part_2/dog": 3},
            "put the pictures",
        ),
        ({"cat/train": 3, "cat/test": 3, "dog/train": 3, "dog/test": 3}, "lay the splits outside"),
        ({"cat/Training": 3, "cat/Validation": 3, "dog": 3}, "cat is no class: it holds the splits"),
        ({"Train": 5, "Test": 3}, "without class folders in them"),
        ({"train": 5, "test/test": 3}, "name a table of their labels"),
        (
            {"cat_train": 3, "cat_test": 3, "dog_train": 3, "dog_test": 3},
            "holds cat_train/ and cat_test/, which are splits of one class",
        ),
        ({"train-cat": 3, "VAL cat": 3, "dog": 3}, "train-cat/ and VAL cat/"),
        ({"Train/cat": 3, "Train/dog": 3, "training/cat": 3}, "has both Train/ and training/; keep one"),
        (
            {"train/cat": 3, "train/dog": 3, "dev/cat": 3, "valid/cat": 3},
            "has both dev/ and valid/",
        ),
    ],
)
def test_what_is_refused(tmp_path, plan, text):
    assert text in rejected_small(paint_plan(tmp_path / "pets", plan))


def test_refusals_reach_the_command_line(here, capsys):
    paint_plan(here / "pets", {"fold1/cat": 3, "fold1/dog": 3, "fold2/cat": 3, "fold2/dog": 3})
    for verb in (["check", "pets"], ["train", "pets", *ONE_EPOCH]):
        assert "name one part, or a table" in refused(capsys, *verb)


def test_unclear_layouts_are_said(tmp_path):
    said = []
    paint_plan(tmp_path / "a", {"Berlin/cat": 4, "Berlin/dog": 4, "Rom/cat": 4, "Rom/dog": 4})
    assert opened_small(tmp_path / "a", said=said).classes == ("Berlin", "Rom")
    assert "Berlin, Rom are taken for the classes; each has the same folders inside (cat, dog)" in said[0]
    said = []
    paint_plan(tmp_path / "b", {"cat/siamese": 4, "cat/persian": 4, "dog/pug": 4, "dog": 4})
    assert opened_small(tmp_path / "b", said=said).classes == ("cat", "dog")
    assert "pictures in folders inside of a class (cat/persian/) count for that class" in said[0]


def test_classes_that_are_called_like_splits_stay_classes(tmp_path):
    for names in (("train", "bus", "test"), ("train", "tram"), ("Default", "test"), ("dev", "fold1", "val")):
        folder = paint_plan(tmp_path / names[0] / "-".join(names), dict.fromkeys(names, 6))
        said = []
        assert opened_small(folder, said=said).classes == tuple(sorted(names))
        assert not [line for line in said if "holds out" not in line]


@pytest.mark.parametrize(
    "names",
    [
        ("Trainingsdaten", "Validierungsdaten", "Testdaten"),
        ("entrenamiento", "Validación", "pruebas"),
        ("apprentissage", "validation", "test"),
        ("Données d'entraînement", "Données de validation", "Données de test"),
        ("treinamento", "validação", "teste"),
        ("训练集", "验证集", "测试集"),
        ("訓練データ", "検証データ", "テストデータ"),
        ("обучение", "валидация", "тест"),
    ],
)
def test_splits_in_other_languages(tmp_path, names):
    paint_plan(tmp_path / "pets", {f"{split}/{kind}": 4 for split in names for kind in ("cat", "dog")})
    data = opened_small(tmp_path / "pets")
    assert data.classes == ("cat", "dog")
    assert [sum(data.counts(split).values()) for split in ("train", "validation", "test")] == [8, 8, 8]
    flat = paint_plan(tmp_path / "flat", {names[0]: 4, names[2]: 4})
    assert "without class folders in them" in rejected_small(flat)


def test_classes_that_begin_like_splits_stay_classes(tmp_path):
    for names in (("train_steam", "train_electric"), ("test tube", "flask"), ("cat_test", "dog_test")):
        folder = paint_plan(tmp_path / names[0], dict.fromkeys(names, 6))
        assert opened_small(folder).classes == tuple(sorted(names))
