"""The Open Inference Protocol: pixels and files in, probabilities out; models with names and versions."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest
from serving import OPTIONS, png, served, told

pytest.importorskip("starlette", reason="starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")

from residua.config import ServeConfig
from residua.data.pictures.decoding import read_picture
from residua.deploy.server.running import open_models, split_name
from residua.errors import ConfigError

INFER = "/v2/models/run/infer"


@pytest.fixture(scope="module")
def address(trained):
    with served(str(trained / "run"), many=20, batch=3) as (address, _, _):
        yield address


def of_pixels(shape, data):
    return {"inputs": [{"name": "images", "datatype": "UINT8", "shape": shape, "data": data}]}


def of_files(shape, data):
    return {"inputs": [{"name": "pictures", "datatype": "BYTES", "shape": shape, "data": data}]}


def inferred(address, name, datatype, shape, data, path=INFER, **more):
    tensor = {"name": name, "datatype": datatype, "shape": shape, "data": data}
    return told(address, "POST", path, json.dumps({"inputs": [tensor], **more}))


def test_pixels_and_files_have_the_probabilities_of_predict(address, trained):
    files = sorted((trained / "pics").rglob("*.png"))[:7]
    expected = [told(address, "POST", "/v1/predict", file.read_bytes())[1] for file in files]
    coded = [base64.b64encode(file.read_bytes()).decode() for file in files]
    status, by_file = inferred(address, "pictures", "BYTES", [7], coded, id="42")
    assert status == 200
    assert (by_file["id"], by_file["model_name"]) == ("42", "run")
    probabilities, named = by_file["outputs"]
    assert probabilities["shape"] == [7, 2]
    assert named["data"] == [answer["class"] for answer in expected]
    best = np.array(probabilities["data"]).reshape(7, 2).max(axis=1)
    assert best.tolist() == [answer["probability"] for answer in expected]
    pixels = np.stack([read_picture(file, 8, 8, 3) for file in files])
    wanted = [{"name": "probabilities"}]
    for data in (pixels.ravel().tolist(), pixels.tolist()):
        status, by_pixel = inferred(address, "images", "UINT8", [7, 8, 8, 3], data, outputs=wanted)
        assert status == 200
        assert by_pixel["outputs"] == [probabilities]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"{", 400, "no JSON"),
        (b"[1]", 400, "an object"),
        ({"inputs": []}, 400, "one tensor"),
        (of_pixels([-1], []), 400, "whole numbers"),
        ({"inputs": [{"name": "x", "datatype": "UINT8", "shape": [1], "data": [1]}]}, 400, "'x'"),
        (of_pixels([21, 1], []), 413, "1 to 20"),
        (of_pixels([1, 2], [1, 2]), 400, "[N, height"),
        (of_pixels([1, 1, 1, 1], [256]), 400, "0 to 255"),
        (of_pixels([1, 1, 1, 1], [0.5]), 400, "0 to 255"),
        (of_pixels([1, 1, 1, 1], [[1], 2]), 400, "0 to"),
        (of_pixels([1, 1, 1, 2], [1]), 400, "the data 1"),
        (of_pixels([1, 1, 1, 3], [1, 2, 3]), 400, "[8, 8, 3]"),
        (of_files([2], ["QQ=="]), 400, "does not fit"),
        (of_files([1], ["%"]), 400, "base64"),
        (of_files([1], ["QQ=="]), 400, "picture 0"),
    ],
)
def test_wrong_requests(address, body, status, words):
    found, answer = told(address, "POST", INFER, body if isinstance(body, bytes) else json.dumps(body))
    assert found == status
    assert words in answer["error"]


def test_outputs_that_are_not_there(address):
    coded = base64.b64encode(png()).decode()
    for outputs in ([{"name": "boxes"}], [3], "class"):
        status, answer = inferred(address, "pictures", "BYTES", [1], [coded], outputs=outputs)
        assert status == 400
        assert "outputs takes probabilities and class" in answer["error"]


def test_what_the_server_says_of_itself(address):
    said = told(address, "GET", "/v2")[1]
    assert (said["name"], said["extensions"]) == ("residua", [])
    metadata = told(address, "GET", "/v2/models/run")[1]
    (version,) = metadata["versions"]
    assert [(one["name"], one["shape"]) for one in metadata["inputs"]] == [
        ("images", [-1, 8, 8, 3]),
        ("pictures", [-1]),
    ]
    assert told(address, "GET", f"/v2/models/run/versions/{version}")[1] == metadata
    assert told(address, "GET", f"/v2/models/run/versions/{version}/ready") == (200, {"ready": True})
    status, answer = told(address, "GET", "/v2/models/run/versions/7")
    assert (status, answer["error"]) == (404, f"run has no version '7'; there are {version}")


def test_names_and_versions(members):
    one, two = (members / name / "best.safetensors" for name in ("one", "two"))
    with served(f"digits@1={one}", f"digits@2={two}", f"other={two}") as (address, _, _):
        answers = [
            told(address, "POST", f"/v1/models/{place}/predict", png())[1]
            for place in ("digits", "digits/versions/1", "digits/versions/2", "other")
        ]
        models = [answer.pop("model") for answer in answers]
        assert models[:3] == [{"name": "digits", "version": version} for version in "112"]
        assert answers[0] == answers[1] != answers[2] == answers[3]
        assert told(address, "GET", "/v2/models/digits")[1]["versions"] == ["1", "2"]
        coded = base64.b64encode(png()).decode()
        path = "/v2/models/digits/versions/2/infer"
        assert inferred(address, "pictures", "BYTES", [1], [coded], path)[1]["model_version"] == "2"
        assert told(address, "GET", "/")[1]["models"].keys() == {"digits", "other"}
    for named in ((f"digits={one}", f"digits={two}"), (f"digits@1={one}", f"digits@1={two}")):
        with pytest.raises(ConfigError, match="two models are called digits"):
            open_models(named, ServeConfig(**OPTIONS))


def test_how_models_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a=b").mkdir()
    assert split_name("pets@2=runs/x=y") == ("pets", "2", "runs/x=y")
    assert split_name("a=b") == (None, None, "a=b")
    assert split_name("runs/x") == (None, None, "runs/x")
    for wrong in ("../x=y", "=y", "a@=y", "a/b=y", "a@1/2=y"):
        with pytest.raises(ConfigError, match="write NAME=FILE"):
            split_name(wrong)
