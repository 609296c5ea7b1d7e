"""Who is let in: keys in both forms, other sites' pages, clients that ask too often or all at once."""

from __future__ import annotations

import base64
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from serving import ask, png, served, told

pytest.importorskip("starlette", reason="starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")

from residua.deploy.server import clients
from residua.deploy.server.clients import Clients


@pytest.fixture(scope="module")
def address(trained):
    with served(str(trained / "run"), trusted=("front.example",)) as (address, _, _):
        yield address


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Sec_Fetch_Site": "same-origin"}, 200),
        ({"Sec_Fetch_Site": "none"}, 200),
        ({"Sec_Fetch_Site": "cross-site"}, 403),
        ({"Sec_Fetch_Site": "same-site"}, 403),  # another port of this computer
        ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}, 403),  # a form
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Origin": "http://localhost:80", "Host": "localhost:80"}, 200),
        ({"Origin": "https://front.example"}, 200),
        ({"Origin": "https://front.example.evil"}, 403),
    ],
)
def test_pages_of_other_sites_are_refused(address, headers, status):
    found, answer = told(address, "POST", "/v1/predict", png(), **headers)
    assert found == status
    if status == 403:
        assert answer["error"] == "requests from pages of other sites are not answered"


def test_a_link_that_a_person_follows_is_none(address):
    followed = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate"}
    assert ask(address, "GET", "/", **followed)[0] == 200
    assert ask(address, "GET", "/v1/models", Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403
    assert ask(address, "OPTIONS", "/v1/predict", Origin="https://evil.example")[0] == 403


def test_browsers_give_the_key_as_a_password(trained, tmp_path):
    (tmp_path / "keys").write_text("secret")
    with served(str(trained / "run"), keys=str(tmp_path / "keys")) as (address, _, _):
        status, headers, _ = ask(address, "GET", "/", Accept="text/html")
        assert (status, headers["WWW-Authenticate"].split()[0]) == (401, "Basic")
        given = {text: "Basic " + base64.b64encode(text.encode()).decode() for text in ("me:secret", "me:no")}
        assert ask(address, "GET", "/", Authorization=given["me:secret"])[0] == 200
        for wrong in (given["me:no"], "Basic %%%", "Basic /w==", "Digest secret", "secret"):
            assert ask(address, "GET", "/", Authorization=wrong)[0] == 401


def test_clients_that_ask_too_often_are_told_when_to_come_again(trained):
    with served(str(trained / "run"), client_rate=0.5) as (address, _, _):
        answers = [ask(address, "GET", "/v1/models") for _ in range(4)]
        assert [status for status, _, _ in answers] == [200, 200, 429, 429]
        assert 1 <= int(answers[-1][1]["Retry-After"]) <= 2
        assert b"0.5 a second" in answers[-1][2]
        assert ask(address, "GET", "/v2/health/ready")[0] == 200


def test_a_bucket_of_requests_fills_with_time(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(clients.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(clients, "MOST_CLIENTS", 2)
    asked = Clients(2.0)
    assert [asked.ask("a") for _ in range(11)] == [0] * 10 + [1]
    now[0] = 0.5
    assert (asked.ask("a"), asked.ask("a")) == (0, 1)
    assert [asked.ask(name) for name in "bc"] == [0, 0]
    assert len(asked._buckets) == 2, "addresses without number would fill the memory"


def test_more_than_may_at_once_are_told_to_come_again(trained, monkeypatch):
    with served(str(trained / "run"), concurrent=1) as (address, _, worker):
        go_on, begun, answer = threading.Event(), threading.Event(), worker._answer

        def held(model, requests):
            if requests:
                begun.set()
                go_on.wait(30)
            answer(model, requests)

        monkeypatch.setattr(worker, "_answer", held)
        with ThreadPoolExecutor(1) as client:
            first = client.submit(ask, address, "POST", "/v1/predict", png())
            begun.wait(30)
            status, headers, _ = ask(address, "GET", "/v1/models")
            assert (status, headers["Retry-After"]) == (503, "1")
            assert ask(address, "GET", "/v2/health/live")[0] == 200
            go_on.set()
            assert first.result()[0] == 200


def test_all_bodies_together_are_bounded(trained):
    with served(str(trained / "run")) as (address, server, _):
        server.state.held = server.state.most_held
        status, headers, body = ask(address, "POST", "/v1/predict", png())
        assert (status, headers["Connection"]) == (503, "close")
        assert b"too many bodies" in body
        server.state.held = 0
        assert ask(address, "POST", "/v1/predict", png())[0] == 200
        assert server.state.held == 0
