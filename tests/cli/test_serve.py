"""`residua serve`: what keeps it from beginning is one line."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from tiny import refused

from residua.deploy import packages

needs_server = pytest.mark.skipif(
    find_spec("starlette") is None or find_spec("uvicorn") is None,
    reason="starlette or uvicorn is not installed",
)


def test_it_takes_a_model(capsys):
    assert refused(capsys, "serve") == "serve takes one or more models"


@pytest.mark.parametrize(
    ("absent", "words"),
    [
        ({"uvicorn"}, "uvicorn, which is not"),
        ({"starlette", "uvicorn"}, "starlette and uvicorn, which are not"),
    ],
)
def test_without_its_packages(absent, words, capsys, monkeypatch):
    monkeypatch.setattr(packages, "find_spec", lambda name: None if name in absent else object())
    said = refused(capsys, "serve", "model.safetensors")
    assert said == f"serve takes {words} installed: pip install 'residua[serve]'"


@needs_server
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.safetensors",), "nowhere.safetensors"),
        (("m", "--port", "70000"), "--port takes 0 to 65535"),
        (("m", "--keys", "nowhere"), "nowhere"),
        (("m", "--certificate", "a.pem"), "--certificate and --private-key go together"),
        (("m", "--port", "0", "--host", "no.such.host.invalid"), "cannot listen at no.such.host.invalid"),
    ],
)
def test_refused_in_one_line(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert message in refused(capsys, "serve", *arguments)
