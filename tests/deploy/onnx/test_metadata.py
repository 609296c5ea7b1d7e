"""What an exported file says of itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from PIL import Image
from small_models import small_model

from residua.deploy.onnx.metadata import describe_input, describe_model, properties
from residua.models.calibration import Calibration, Coverage
from residua.models.model_file import load_model


def test_a_run_tells_classes_figures_training_and_the_file(trained):
    file = trained / "run" / "best.safetensors"
    about = describe_model(load_model(file))
    assert about["classes"] == ["blue", "red"]
    assert about["source"] == {"file": file.name, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    tested = json.loads((trained / "run" / "test.json").read_text())
    assert about["test"]["accuracy"] == tested["accuracy"]
    assert about["test"]["interval"] == tested["interval"]
    assert about["training"]["seed"] == 0
    assert "residua" in about["versions"]
    assert json.loads(json.dumps(about)) == about


def test_where_data_lay_on_a_disk_is_nobodys_business(trained):
    text = json.dumps(describe_model(load_model(trained / "run" / "best.safetensors")))
    assert str(trained) not in text
    assert '"data": "pics"' in text


def test_what_is_not_known_is_null():
    about = describe_model(small_model())
    assert about["test"] is about["calibration"] is about["source"] is None
    assert about["reject_below"] == {}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"data": 1}', "{"])
def test_a_torn_test_is_not_known(content, trained, tmp_path):
    file = tmp_path / "best.safetensors"
    file.write_bytes((trained / "run" / "best.safetensors").read_bytes())
    file.with_name("test.json").write_text(content)
    assert describe_model(load_model(file))["test"] is None


def test_thresholds_for_shares_of_right_answers():
    rows = (Coverage(0.0, 100, 92), Coverage(0.6, 80, 78), Coverage(0.9, 50, 50))
    model = replace(small_model(), calibration=Calibration(1.5, "digits", 100, rows))
    about = describe_model(model)
    assert about["calibration"]["temperature"] == 1.5
    thresholds = {share: entry["threshold"] for share, entry in about["reject_below"].items()}
    assert thresholds == {"0.9": 0.0, "0.95": 0.6, "0.98": 0.9, "0.99": 0.9, "0.995": 0.9}


def test_keys_that_other_programs_read():
    model = small_model(channels=1, size=16)
    found = properties(describe_model(model), model.preprocessing)
    assert json.loads(found["names"])["3"] == "class 3"
    assert json.loads(found["imgsz"]) == [16, 16]
    assert found["task"] == "classify"
    assert found["Image.BitmapPixelFormat"] == "Gray8"
    assert found["Image.NominalPixelRange"] == "NominalRange_0_255"
    assert json.loads(found["residua.model"])["name"] == "resnet8"


def test_the_sizes_of_jpegs_are_those_at_which_they_are_decoded_smaller(tmp_path, monkeypatch):
    model = small_model(size=12)
    shape = replace(model.preprocessing, resize=14)
    steps = " ".join(describe_input(shape)["steps"])
    assert "a JPEG whose shorter side has 56 pixels or more is decoded at 1/2, 1/4 or 1/8" in steps
    assert "the middle 12x12 of it" in steps
    seen, resize = [], Image.Image.resize

    def watched(image, *arguments, **options):
        seen.append(image.size)
        return resize(image, *arguments, **options)

    monkeypatch.setattr(Image.Image, "resize", watched)
    for side, expected in ((55, 55), (56, 28), (112, 28)):
        Image.new("RGB", (side, side)).save(tmp_path / "a.jpg")
        shape.read(tmp_path / "a.jpg")
        assert seen.pop() == (expected, expected)
