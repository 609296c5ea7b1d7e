"""A server that runs, asked over its port."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from serving import OPTIONS, ask, jpeg, png, served, told

pytest.importorskip("starlette", reason="starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")

from residua.api import predict
from residua.config import ServeConfig
from residua.deploy.server import connections
from residua.deploy.server.openapi import describe_api
from residua.deploy.server.running import check_certificate, open_models, open_port, read_keys
from residua.errors import ConfigError


@pytest.fixture(scope="module")
def address(trained):
    with served(str(trained / "run")) as (address, _, _):
        yield address


def test_the_very_answers_of_predict_alone_and_in_any_company(address, trained):
    files = sorted((trained / "pics").rglob("*.png"))
    expected = {entry.file: entry.to_dict() for entry in predict(trained / "run", files, engine="numpy")}
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda f: told(address, "POST", "/v1/predict", f.read_bytes()), files))
    for file, (status, answer) in zip(files, answers, strict=True):
        assert status == 200
        assert answer.pop("model")["name"] == "run"
        assert {"file": str(file), **answer} == expected[str(file)]


def test_how_many_names(address, trained):
    picture = next((trained / "pics").rglob("*.png")).read_bytes()
    assert len(told(address, "POST", "/v1/predict?top=1", picture)[1]["top"]) == 1
    for top in ("0", "-1", "x", "1e3", "9" * 40, "%D9%A3"):
        status, answer = told(address, "POST", f"/v1/predict?top={top}", picture)
        assert status == 400
        assert "top takes a whole number" in answer["error"]


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        (b"", 400, "the body is empty"),
        (b"PK\x03\x04" + b"a" * 50, 415, "ZIP"),
        (b"no picture at all", 415, "not a picture"),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 50, 400, "Cannot read the picture"),
        (jpeg()[:200], 400, "Cannot read the picture"),
    ],
    ids=["empty", "zip", "text", "damaged png", "cut jpeg"],
)
def test_what_is_no_picture_is_refused_in_one_line(address, body, status, words):
    found, answer = told(address, "POST", "/v1/predict", body)
    assert found == status
    assert words.lower() in answer["error"].lower()
    assert "\n" not in answer["error"]
    assert told(address, "POST", "/v1/predict", png())[0] == 200


@pytest.mark.exhaustive
def test_bytes_of_any_kind_end_in_four_hundred(address):
    rng, whole = np.random.default_rng(0), jpeg()
    bodies = [rng.bytes(int(rng.integers(1, 400))) for _ in range(2000)]
    bodies += [whole[: len(whole) * percent // 100] for percent in range(1, 100)]
    for body in bodies:
        assert ask(address, "POST", "/v1/predict", body)[0] in (200, 400, 415)
    assert told(address, "POST", "/v1/predict", png())[0] == 200


def test_too_large_is_refused_before_it_has_come(trained):
    with served(str(trained / "run"), megabytes=0.001) as (address, _, _):
        assert told(address, "POST", "/v1/predict", b"x" * 1001)[0] == 413
        connection = socket.create_connection(address, timeout=30)
        head = "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 413")
        connection.close()
        pieces = iter([b"x" * 600, b"x" * 600])
        assert ask(address, "POST", "/v1/predict", pieces)[0] == 413


def test_who_still_sends_hears_why_it_is_refused(trained):
    """More than sockets hold: closed at once, the system would take the answer back with it."""
    with served(str(trained / "run"), megabytes=0.001) as (address, _, _):
        pieces = (b"x" * 100_000 for _ in range(300))
        status, _, body = ask(address, "POST", "/v1/predict", pieces)
        assert status == 413
        assert b"at most 0.001 MB" in body


def test_slow_clients_are_cut_off_and_others_served(trained, monkeypatch):
    monkeypatch.setattr(connections, "FIRST_SECONDS", 0.3)
    with served(str(trained / "run"), seconds=0.3) as (address, _, _):
        slow = [socket.create_connection(address, timeout=30) for _ in range(20)]
        for connection in slow[:10]:
            connection.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: loc")
        for connection in slow[10:]:
            connection.sendall(
                b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\nabc"
            )
        assert told(address, "POST", "/v1/predict", png())[0] == 200
        assert [connection.recv(100) for connection in slow[:10]] == [b""] * 10
        assert all(connection.recv(100).startswith(b"HTTP/1.1 408") for connection in slow[10:])
        for connection in slow:
            connection.close()


def test_when_too_many_wait_others_are_told_to_come_again(trained, monkeypatch):
    with served(str(trained / "run"), queue=2, batch=1) as (address, _, worker):
        go_on, begun = threading.Event(), threading.Event()
        answer = worker._answer

        def held(model, requests):
            if requests:
                begun.set()
                go_on.wait(30)
            answer(model, requests)

        monkeypatch.setattr(worker, "_answer", held)
        picture = png()
        with ThreadPoolExecutor(8) as clients:
            first = clients.submit(ask, address, "POST", "/v1/predict", picture)
            begun.wait(30)
            others = [clients.submit(ask, address, "POST", "/v1/predict", picture) for _ in range(5)]
            while sum(other.done() for other in others) < 3:
                time.sleep(0.005)
            go_on.set()
            answers = [first.result(), *(other.result() for other in others)]
    assert sorted(status for status, _, _ in answers) == [200, 200, 200, 503, 503, 503]
    assert all(headers["Retry-After"] == "1" for status, headers, _ in answers if status == 503)


def test_health_models_counts_and_the_description(address):
    assert told(address, "GET", "/v2/health/live") == (200, {"live": True})
    assert told(address, "GET", "/v2/health/ready") == (200, {"ready": True})
    assert told(address, "GET", "/v2/models/run/ready")[0] == 200
    assert told(address, "GET", "/v1/models")[1][0]["classes"] == ["blue", "red"]
    assert told(address, "GET", "/v2/models/run")[1]["inputs"][0]["shape"] == [-1, 8, 8, 3]
    assert told(address, "GET", "/")[1]["models"].keys() == {"run"}
    text = ask(address, "GET", "/metrics")[2].decode()
    assert 'residua_requests_total{code="200"}' in text
    assert 'residua_batch_size_bucket{le="1"}' in text
    assert told(address, "GET", "/openapi.json") == (200, json.loads(json.dumps(describe_api())))
    version = told(address, "GET", "/v1/models")[1][0]["version"]
    for path in describe_api()["paths"]:
        method = next(iter(describe_api()["paths"][path])).upper()
        assert ask(address, method, path.format(model="run", version=version))[0] in (200, 400), path


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/nowhere", 404, "nothing at this address"),
        ("GET", "/v1/predict", 405, "GET is not for this address"),
        ("POST", "/v1/models/other/predict", 404, "there is no model 'other'; there are run"),
        ("GET", "/v2/models/other/ready", 404, "there is no model"),
    ],
)
def test_wrong_addresses(address, method, path, status, words):
    found, answer = told(address, method, path)
    assert found == status
    assert words in answer["error"]


def test_every_answer_has_the_headers_that_keep_pages_apart(address):
    for path in ("/", "/nowhere", "/metrics"):
        headers = ask(address, "GET", path)[1]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Access-Control-Allow-Origin"] is None
        assert headers["Server"] is None


def test_names_that_are_not_trusted_are_refused(address, trained):
    for host in ("evil.example", "127.0.0.1.evil.example:80", ""):
        status, answer = told(address, "GET", "/", Host=host)
        assert status == 400
        assert "this server is not called" in answer["error"]
    assert ask(address, "GET", "/", Host="localhost:1234")[0] == 200
    with served(str(trained / "run"), trusted=("Models.example",)) as (named, _, _):
        assert ask(named, "GET", "/", Host="models.example")[0] == 200


def test_keys(trained, tmp_path):
    (tmp_path / "keys").write_text("secret\nother\n")
    with served(str(trained / "run"), keys=str(tmp_path / "keys")) as (address, _, _):
        assert ask(address, "POST", "/v1/predict", png(), Authorization="Bearer other")[0] == 200
        for wrong in ("Bearer wrong", "", "secret2", "Bearer \xe9"):
            status, headers, body = ask(address, "POST", "/v1/predict", png(), Authorization=wrong)
            assert status == 401
            assert headers["WWW-Authenticate"] == "Bearer"
            assert b"a key is needed" in body
        assert ask(address, "GET", "/v2/health/ready")[0] == 200


def test_the_log_tells_requests_and_no_pictures(trained):
    said = []
    with served(str(trained / "run"), said=said) as (address, _, _):
        ask(address, "POST", "/v1/predict", png())
        ask(address, "GET", "/nowhere?a=b")
    entries = [json.loads(line) for line in said]
    paths = [(entry["path"], entry["status"]) for entry in entries]
    assert paths == [
        ("/v1/predict", 200),
        ("/nowhere", 404),
    ]
    assert entries[0]["client"] == "127.0.0.1"
    with served(str(trained / "run"), said=said, log=False) as (address, _, _):
        ask(address, "GET", "/")
    assert len(said) == 2


def test_a_changed_file_is_read_again_and_a_damaged_one_is_not(members, tmp_path, monkeypatch):
    monkeypatch.setattr("residua.deploy.server.answering.LOOK_SECONDS", 0.0)
    file, said = tmp_path / "digits.safetensors", []
    shutil.copy(members / "one" / "best.safetensors", file)
    with served(str(file), said=said, log=False) as (address, _, _):
        before = told(address, "POST", "/v1/predict", png())[1]
        file.write_bytes(b"broken")
        assert told(address, "POST", "/v1/predict", png())[1] == before
        os.replace(shutil.copy(members / "two" / "best.safetensors", tmp_path / "new"), file)
        after = told(address, "POST", "/v1/predict", png())[1]
    assert after["model"]["version"] != before["model"]["version"]
    assert "cannot be read, so the old one goes on" in said[0]
    assert "answers from now on" in said[-1]


def test_several_models(members):
    runs = [str(members / name) for name in ("one", "two")]
    with served(*runs) as (address, _, _):
        answers = [told(address, "POST", f"/v1/models/{name}/predict", png())[1] for name in ("one", "two")]
        assert [answer["model"]["name"] for answer in answers] == ["one", "two"]
        assert told(address, "POST", "/v1/predict", png())[1] == answers[0]
    with pytest.raises(ConfigError, match="two models are called one"):
        open_models([runs[0], runs[0]], ServeConfig(**OPTIONS))


def test_a_failure_of_the_engine_is_one_request_and_not_the_server(trained, monkeypatch):
    with served(str(trained / "run")) as (address, _, worker):
        monkeypatch.setattr(worker.models[0], "answer", lambda pictures: 1 / 0)
        status, answer = told(address, "POST", "/v1/predict", png())
        assert status == 500
        assert "others are answered" in answer["error"]
        monkeypatch.undo()
        assert told(address, "POST", "/v1/predict", png())[0] == 200


def test_not_sure(trained):
    with served(str(trained / "run"), reject=1.0) as (address, _, _):
        assert told(address, "POST", "/v1/predict", png())[1]["sure"] in (True, False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"certificate": "a.pem"}, "go together"),
        ({"certificate": "a.pem", "private_key": "b.pem"}, "cannot be used"),
    ],
)
def test_certificates_that_cannot_be_used(options, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=message):
        check_certificate(ServeConfig(**options))


def test_a_port_in_use_and_keys_that_are_none(tmp_path):
    with open_port(ServeConfig(**OPTIONS)) as taken:
        assert taken.proto == socket.IPPROTO_TCP, "answers would wait for the acknowledgement of their heads"
        with pytest.raises(ConfigError, match="Address already in use; choose another --port"):
            open_port(ServeConfig(port=taken.getsockname()[1]))
    (tmp_path / "keys").write_text("\n")
    with pytest.raises(ConfigError, match="is empty"):
        read_keys(ServeConfig(keys=str(tmp_path / "keys")))


def test_told_to_end_under_load_it_loses_no_request(trained):
    """SIGTERM: not ready at once, every request that was taken is answered, exit code 0."""
    command = [sys.executable, "-m", "residua", "serve", str(trained / "run"), "--port", "0", "--no-log"]
    process = subprocess.Popen(
        [*command, "--engine", "numpy", "--threads", "1", "--drain", "0.5"], stderr=subprocess.PIPE, text=True
    )
    try:
        line = process.stderr.readline()
        host, _, port = line.split("//")[1].split("/")[0].partition(":")
        address, answers, unready, picture = (host, int(port)), [], [], png()

        def keep_asking():
            while True:
                try:
                    answers.append(ask(address, "POST", "/v1/predict", picture)[0])
                except ConnectionError:  # the port is closed; no request was taken
                    return

        clients = [threading.Thread(target=keep_asking) for _ in range(4)]
        for client in clients:
            client.start()
        while len(answers) < 20 and clients[0].is_alive():
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        for _ in range(200):
            try:
                unready.append(ask(address, "GET", "/v2/health/ready")[0])
            except OSError:
                break
        for client in clients:
            client.join()
        assert set(answers) == {200}
        assert 503 in unready
        assert process.wait(30) == 0
        assert "every request that was taken has been answered" in process.stderr.read()
    finally:
        process.kill()
        process.stderr.close()
        process.wait()
