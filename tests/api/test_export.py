"""Models for other programs, in Python."""

from __future__ import annotations

import hashlib
import importlib
import json

import pytest
from small_models import small_model

from residua.api import export
from residua.errors import ConfigError, ResiduaError
from residua.models.model_file import save_model

pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_beside_the_model_with_all_that_is_known_of_it(here):
    save_model(here / "mine.safetensors", small_model())
    heard = []
    path, found = export(
        here / "mine.safetensors", on_result=heard.append, say=heard.append, proof_pictures=9
    )
    assert path == here / "mine.onnx"
    assert path.read_bytes() == found.content
    assert heard[-1] is found
    about = json.loads((here / "mine.onnx.json").read_text())
    assert about["file"] == "mine.onnx"
    assert about["sha256"] == hashlib.sha256(found.content).hexdigest()
    assert about["verification"]["passed"] is True
    assert about["model"]["source"]["file"] == "mine.safetensors"


@pytest.mark.parametrize("output", ["new/", "new/model.onnx"])
def test_into_a_new_folder(output, here):
    path, _ = export(small_model(), output, proof=False)
    assert path == here / "new" / "model.onnx" or path.resolve() == here / "new" / "model.onnx"
    assert sorted(entry.name for entry in (here / "new").iterdir()) == ["model.onnx", "model.onnx.json"]


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("model.pt", "OUT takes a folder, or a file that ends in .onnx"),
        ("a-file/model.onnx", "Not a directory"),
    ],
)
def test_what_cannot_be_written_is_said_before_the_work(output, message, here, monkeypatch):
    monkeypatch.setattr("residua.models.model_file.load_model", lambda path: pytest.fail("worked"))
    (here / "a-file").touch()
    save_model(here / "mine.safetensors", small_model())
    with pytest.raises(ConfigError, match=message):
        export(here / "mine.safetensors", output)


def test_a_full_disk_costs_the_file_alone(here, monkeypatch):
    def full(path, data):
        raise ResiduaError("No space left on device")

    module = importlib.import_module("residua.api.export")  # the package has the function of that name
    monkeypatch.setattr(module, "write_durably", full)
    with pytest.raises(ResiduaError, match="No space") as error:
        export(small_model(), proof=False)
    assert error.value.result.nodes > 10
    assert list(here.iterdir()) == []
