"""Verbs on JAX: what they say is what they say on the reference."""

from __future__ import annotations

import json

import pytest
from tiny import TINY, answered

from residua import predict, train
from residua.training.progress import Quiet
from residua.training.run_folder import read_log

ENGINES = ("numpy", "jax")


def test_pictures_are_named_with_the_same_probabilities(trained):
    answers = {engine: predict(trained / "run", trained / "pics", engine=engine) for engine in ENGINES}
    assert len(answers["jax"]) == 24
    for mine, exact in zip(answers["jax"], answers["numpy"], strict=True):
        assert dict(mine.top) == pytest.approx(dict(exact.top), abs=1e-5)


def test_pictures_are_explained_and_fooled(trained, tmp_path, capsys):
    picture = trained / "pics" / "red" / "1.png"
    command = ["explain", trained / "run", picture, "--methods", "gradient", "grad-cam"]
    answered(capsys, *command, "--engine", "jax", "--output", tmp_path / "maps")
    assert (tmp_path / "maps" / "explain-1.png").exists()
    command = ["fool", trained / "run", picture, "--method", "fgsm", "--output", tmp_path / "fooled"]
    said = {engine: answered(capsys, *command, "--engine", engine) for engine in ENGINES}
    assert said["jax"].splitlines()[0] == said["numpy"].splitlines()[0]


@pytest.mark.exhaustive
def test_an_ensemble_answers_and_is_reported(members, tmp_path, capsys):
    both = [members / "one", members / "two"]
    accuracies = []
    for engine in ENGINES:
        file = tmp_path / f"{engine}.safetensors"
        answered(capsys, "ensemble", file, *both, "--engine", engine)
        said = answered(capsys, "evaluate", file, "--json", "--split", "validation", "--engine", engine)
        accuracies.append(json.loads(said)["correct"])
    assert accuracies[0] == accuracies[1]


@pytest.mark.exhaustive
def test_a_transfer_trains_as_on_the_reference(trained, tmp_path):
    logs = []
    for engine in ENGINES:
        options = {"batch": 8, "epochs": 2, "final_test": False, "engine": engine, "freeze": 2}
        train(
            trained / "pics",
            run=str(tmp_path / engine),
            from_=str(trained / "run"),
            reporter=Quiet(),
            **options,
        )
        logs.append([row["train_loss"] for row in read_log(tmp_path / engine)])
    assert logs[1] == pytest.approx(logs[0], abs=1e-4)


@pytest.mark.exhaustive
def test_capsules_train_and_draw_what_they_know(trained, tmp_path, capsys):
    options = TINY | {"model": "capsnet", "width": 8, "size": 18, "epochs": 1, "final_test": False}
    logs = []
    for engine in ENGINES:
        run = tmp_path / engine
        train(trained / "pics", run=str(run), engine=engine, reporter=Quiet(), **options)
        logs.append(read_log(run)[0]["train_loss"])
    assert logs[1] == pytest.approx(logs[0], abs=1e-4)
    answered(capsys, "reconstruct", tmp_path / "jax", "--engine", "jax", "--output", tmp_path / "drawn")
    assert len(list((tmp_path / "drawn").iterdir())) == 2
