"""Short versions of benchmarks/serve_load.py: many clients at once, strange bodies, nothing kept."""

from __future__ import annotations

import asyncio
import gc
import socket
import struct
import time
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
from serving import ask, jpeg, png, served, told

pytest.importorskip("starlette", reason="starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")


@pytest.fixture(scope="module")
def running(trained):
    with served(str(trained / "run"), queue=8, batch=4) as (address, server, _):
        yield address, server


def bomb(side=30_000):
    """A PNG of side x side pixels, in a few bytes: its rows end early."""

    def chunk(name, content):
        return (
            struct.pack(">L", len(content)) + name + content + struct.pack(">L", zlib.crc32(name + content))
        )

    header = struct.pack(">LLBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_many_clients_are_answered_or_told_to_come_again(running):
    address, _ = running
    picture = png()
    expected = ask(address, "POST", "/v1/predict", picture)[2]
    with ThreadPoolExecutor(40) as clients:
        answers = list(clients.map(lambda _: ask(address, "POST", "/v1/predict", picture), range(200)))
    assert {status for status, _, _ in answers} <= {200, 503}
    assert {body for status, _, body in answers if status == 200} == {expected}
    assert all(headers["Retry-After"] == "1" for status, headers, _ in answers if status == 503)


@pytest.mark.parametrize("body", [bomb(), jpeg()[:30], bomb()[:60]], ids=["bomb", "head alone", "cut bomb"])
def test_bodies_that_nobody_should_send(running, body):
    address, _ = running
    status, answer = told(address, "POST", "/v1/predict", body)
    assert status == 400
    assert "\n" not in answer["error"]
    assert told(address, "POST", "/v1/predict", png())[0] == 200


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: -1",
        "Content-Length: x",
        "Transfer-Encoding: gzip",
        "Content-Length: 3\r\nHost: localhost",
    ],
)
def test_lengths_that_are_none(running, head):
    address, _ = running
    with socket.create_connection(address, timeout=30) as connection:
        connection.sendall(f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\nabc".encode())
        assert connection.recv(100).split()[1] in (b"400", b"501")
    assert told(address, "POST", "/v1/predict", png())[0] == 200


def test_who_hangs_up_before_the_body_is_whole_leaves_nothing(running):
    address, server = running
    for _ in range(5):
        with socket.create_connection(address, timeout=30) as connection:
            head = "POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
            connection.sendall(head.encode() + bytes(100_000))
    assert told(address, "POST", "/v1/predict", png())[0] == 200
    end = time.monotonic() + 20
    while server.state.held and time.monotonic() < end:
        time.sleep(0.01)
    assert server.state.held == 0


def test_nothing_is_kept_of_requests(running):
    address, _ = running
    picture = png()

    def count():
        for _ in range(25):
            ask(address, "POST", "/v1/predict", picture)
        gc.collect()
        kept = gc.get_objects()
        # An event loop lets go of cancelled timers and their contexts now and then, many at once.
        # By its type: isinstance asks objects of other libraries for their class, and some warn of that.
        timers = [one for one in kept if issubclass(type(one), asyncio.TimerHandle)]
        cancelled = [timer for timer in timers if timer.cancelled()]
        passing = {id(one) for timer in cancelled for one in (timer, timer._context)}
        return sum(id(one) not in passing for one in kept)

    count()
    # The least of three, for a connection may be ending while it is counted.
    before, after = (min(count() for _ in range(3)) for _ in range(2))
    assert after - before < 25, "something is kept of each request"
