"""Explanations over HTTP: those of `residua explain`, within their time, beside other requests."""

from __future__ import annotations

import base64
import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image
from serving import ask, png, served, told

pytest.importorskip("starlette", reason="starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")

from residua.api import explain
from residua.deploy.server import explaining
from residua.insight.saliency.figure import overlay


@pytest.fixture(scope="module")
def address(trained):
    with served(str(trained / "run")) as (address, _, _):
        yield address


@pytest.mark.parametrize("method", ["occlusion", "grad-cam"])
def test_the_maps_of_explain(address, trained, tmp_path, method):
    file = next((trained / "pics").rglob("*.png"))
    options = {"methods": (method,), "engine": "numpy", "output": str(tmp_path), "target": "red"}
    explained = explain(trained / "run", [file], say=lambda line: None, **options).explained
    status, answer = told(
        address, "POST", f"/v1/explain?method={method}&target=RED&overlay=1", file.read_bytes()
    )
    assert status == 200
    known = explained.to_dict()[0]
    for key in ("class", "target", "unit"):
        assert answer[key] == known[key]
    assert answer["probability"] == known["probability"]
    assert answer["score"] == pytest.approx(known["score"], abs=1e-5)
    assert np.allclose(answer["map"], explained.maps[method][0], atol=1e-5)
    assert answer.get("patch" if method == "occlusion" else "layer")
    status, headers, drawn = ask(
        address, "POST", f"/v1/models/run/explain?method={method}&target=red&format=png", file.read_bytes()
    )
    assert (status, headers["Content-Type"]) == (200, "image/png")
    assert base64.b64decode(answer["overlay"]) == drawn
    pixels = np.asarray(Image.open(io.BytesIO(drawn)))
    assert pixels.shape == (256, 256, 3)
    expected = overlay(explained.images[0], explained.maps[method][0], method)
    assert np.abs(pixels[::32, ::32].astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    ("query", "body", "status", "words"),
    [
        ("?method=magic", png(), 400, "occlusion or grad-cam"),
        ("?format=gif", png(), 400, "json or png"),
        ("?target=green", png(), 400, "has no class 'green'"),
        ("?target=" + "x" * 600, png(), 400, "at most 500 letters"),
        ("", b"text", 415, "not a picture"),
        ("", b"", 400, "empty"),
    ],
    ids=["method", "format", "class", "long", "text", "empty"],
)
def test_what_cannot_be_explained(address, query, body, status, words):
    found, answer = told(address, "POST", f"/v1/explain{query}", body)
    assert found == status
    assert words in answer["error"]


def test_squares_are_larger_where_the_network_takes_longer(trained):
    with served(str(trained / "run"), explain_seconds=1e-9) as (address, _, _):
        assert told(address, "POST", "/v1/explain", png())[1]["patch"] == 4


def test_answers_come_while_something_is_explained(trained, monkeypatch):
    """An explanation that waits for an answer, which comes while it is computed."""
    begun, answered, explained, occlusion = threading.Event(), threading.Event(), [], explaining.occlusion

    def waiting(scorer, x, labels, patch):
        begun.set()
        end = time.monotonic() + 20
        while not answered.is_set() and time.monotonic() < end:
            scorer.scores(x, labels)
        explained.append(answered.is_set())
        return occlusion(scorer, x, labels, patch)

    monkeypatch.setattr(explaining, "occlusion", waiting)
    with served(str(trained / "run")) as (address, _, _), ThreadPoolExecutor(1) as client:
        slow = client.submit(told, address, "POST", "/v1/explain", png())
        begun.wait(20)
        assert told(address, "POST", "/v1/predict", png())[0] == 200
        answered.set()
        assert slow.result()[0] == 200
    assert explained == [True]


def test_an_explanation_ends_with_its_time(trained):
    with served(str(trained / "run")) as (address, _, worker):
        wish = explaining.Wish("occlusion", None, 4.0, time.monotonic() - 1)
        with pytest.raises(explaining.TooLong, match="ask for grad-cam"):
            worker.explain(worker.models[0], png(), wish).result(20)
        assert told(address, "POST", "/v1/predict", png())[0] == 200
