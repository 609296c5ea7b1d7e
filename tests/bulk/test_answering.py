"""A part answered: by the model and the residua of the job, or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_models import small_model
from tiny import paint

from residua.bulk import answering
from residua.bulk.answering import Part, answer
from residua.bulk.job import Job, Listed
from residua.bulk.manifest import Stretch, file_state
from residua.config import PredictConfig, PredictPartsConfig
from residua.errors import DataError, ModelFileError, RunError
from residua.files.checksums import file_sha256
from residua.models.model_file import save_model
from residua.training.environment import package_version


@pytest.fixture
def asked(tmp_path):
    model = tmp_path / "model.safetensors"
    save_model(model, small_model(width=4))
    config = PredictConfig(engine="numpy")
    job = Job(
        "predict", tmp_path, model, ("pictures",), config, PredictPartsConfig(), lambda loaded: Listed(())
    )
    return job.asked("numpy", package_version("residua"), file_sha256(model))


@pytest.fixture
def part(tmp_path):
    names = [str(paint(tmp_path / f"{number}.png", (10, 200, 30), number)) for number in range(3)]
    return Part(0, Stretch(names, {name: file_state(name) for name in names}))


def test_rows_in_order_and_how_many_failed(asked, part, tmp_path):
    answered = answer(asked, part)
    lines = answered.data.decode().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [
        str(tmp_path / f"{number}.png") for number in range(3)
    ]
    assert (answered.rows, answered.failed) == (3, 0)


def test_threads_batches_and_care_change_no_byte(asked, part):
    data = answer(asked, part).data
    assert answer(asked, replace(part, batch=1, threads=2)).data == data
    assert answer(asked, replace(part, careful=True)).data == data


def test_a_worker_without_the_model_or_with_another_is_told(asked, part, tmp_path):
    with pytest.raises(ModelFileError, match=r"has another model at .* than the job was begun with"):
        answer(replace(asked, sha256="0" * 64), part)
    with pytest.raises(ModelFileError, match=r"cannot read the model .*nowhere.* put it there"):
        answer(replace(asked, model=str(tmp_path / "nowhere")), part)


def test_a_worker_with_another_residua_is_told(asked, part, monkeypatch):
    monkeypatch.setattr(answering, "package_version", lambda name: "9.9")
    with pytest.raises(RunError, match=r"has residua 9\.9, the job was begun by"):
        answer(asked, part)


def test_a_picture_that_was_there_and_is_gone(asked, part, tmp_path):
    (tmp_path / "1.png").unlink()
    with pytest.raises(DataError, match=r"1\.png is not what it was"):
        answer(asked, part)
