"""Many pictures in one request: lines of JSON and zip archives, honest and hostile."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from serving import ask, jpeg, png, served, told, told_lines

pytest.importorskip("starlette", reason="starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")

from residua.api import predict
from residua.deploy.server.many import ARCHIVES, LINES, Caps, Entry, find_entries
from residua.deploy.server.predicting import _lines
from residua.deploy.server.refusals import Refused
from residua.errors import PictureError

CAPS = Caps(pictures=5, each=1000, all=2000)


@pytest.fixture(scope="module")
def address(trained):
    with served(str(trained / "run"), many=40, many_megabytes=1, queue=4, batch=4) as (address, _, _):
        yield address


def archived(files, compression=zipfile.ZIP_DEFLATED):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return stream.getvalue()


def lined(files):
    lines = [
        json.dumps({"file": name, "picture": base64.b64encode(content).decode()}) for name, content in files
    ]
    return "\n".join(lines).encode() + b"\n"


@pytest.mark.parametrize("kind", ["application/zip", "application/x-ndjson; charset=utf-8"])
def test_many_pictures_have_the_answers_of_predict_in_their_order(address, trained, kind):
    files = sorted((trained / "pics").rglob("*.png"))[:30]
    expected = [
        entry.to_dict() for entry in predict(trained / "run", files, engine="numpy", say=lambda line: None)
    ]
    make = archived if "zip" in kind else lined
    body = make([(str(file), file.read_bytes()) for file in files])
    status, answers = told_lines(address, "POST", "/v1/predict", body, Content_Type=kind)
    assert status == 200
    assert {answer.pop("model")["name"] for answer in answers} == {"run"}
    if "zip" in kind:  # which has no leading slash
        answers = [answer | {"file": f"/{answer['file'].lstrip('/')}"} for answer in answers]
    assert answers == expected


def test_a_bad_picture_is_said_in_its_place_and_the_others_are_answered(address):
    files = [("good.png", png()), ("../../etc/passwd", b"no picture"), ("cut.jpg", jpeg()[:200]), ("", png())]
    line = b'{"picture": 3}\nnot json\n{"file": "x", "picture": "%"}\n'
    status, answers = told_lines(
        address, "POST", "/v1/predict?top=1", lined(files) + line, Content_Type=LINES[0]
    )
    assert status == 200
    assert [answer["file"] for answer in answers] == [
        *("good.png", "../../etc/passwd", "cut.jpg", ""),
        *("line 5", "line 6", "x"),
    ]
    assert ["error" in answer for answer in answers] == [False, True, True, False, True, True, True]
    assert "line 6 cannot be read" in answers[5]["error"]
    answers = told_lines(address, "POST", "/v1/predict", archived(files[:3]), Content_Type=ARCHIVES[0])[1]
    assert ["error" in answer for answer in answers] == [False, True, True]


def test_lines_that_are_known_together_are_sent_together():
    class Known:
        def to_dict(self, top):
            return {"class": top}

    async def pieces():
        def submit(served, picture):
            answer = asyncio.get_running_loop().create_future()
            answer.set_result(Known())
            return answer

        config = SimpleNamespace(batch=4, seconds=30)
        state = SimpleNamespace(config=config, worker=SimpleNamespace(submit=submit), held=0)
        entries = (Entry(str(number), b"picture") for number in range(20))
        return [piece async for piece in _lines(state, None, entries, 1, 0)]

    with ThreadPoolExecutor(1) as pool:
        found = pool.submit(asyncio.run, pieces()).result()
    assert [piece.count("\n") for piece in found] == [8, 8, 4]
    assert [json.loads(line)["file"] for line in "".join(found).splitlines()] == [*map(str, range(20))]


@pytest.mark.parametrize(
    ("kind", "body", "status", "words"),
    [
        (ARCHIVES[0], b"no zip", 400, "no zip archive"),
        (ARCHIVES[0], archived([]), 400, "no files"),
        (ARCHIVES[0], archived([("a.png", png())])[:-3], 400, "its end is missing"),
        (
            ARCHIVES[0],
            archived([(f"{number}.png", b"x") for number in range(41)]),
            413,
            "at most 40 pictures",
        ),
        (LINES[0], b"\n \n", 400, "no lines"),
        (LINES[0], b"{}\n" * 41, 413, "at most 40 pictures"),
        (LINES[0], b"x" * 1_000_001, 413, "has at most 1 MB"),
    ],
    ids=["text", "empty", "cut", "many", "blank", "many lines", "large"],
)
def test_what_cannot_be_taken_at_all(address, kind, body, status, words):
    found, answer = told(address, "POST", "/v1/predict", body, Content_Type=kind)
    assert found == status
    assert words in answer["error"]
    assert told(address, "POST", "/v1/predict", png())[0] == 200


def entries(body, kind=ARCHIVES[0], caps=CAPS):
    return [(entry.file, entry.content) for entry in find_entries(body, kind, caps)]


def test_no_more_of_a_file_is_unpacked_than_is_taken():
    bomb = archived([("bomb.png", bytes(5_000_000)), ("good.png", b"ok")])
    assert len(bomb) < 10_000
    (_, first), (_, second) = entries(bomb)
    assert "at most 0.001 MB" in str(first)
    assert second == b"ok"
    (_, a), (_, b), (_, c) = entries(archived([(name, bytes(900)) for name in "abc"]))
    assert (len(a), len(b)) == (900, 900)
    assert "together" in str(c)


def test_a_size_that_lies_a_checksum_that_fails_and_a_locked_file_are_errors_of_that_file():
    plain = bytearray(archived([("a.png", b"abcdef"), ("b.png", b"ok")], zipfile.ZIP_STORED))
    plain[plain.index(b"abcdef")] ^= 1
    (_, first), (_, second) = entries(bytes(plain))
    assert isinstance(first, PictureError)
    assert second == b"ok"
    locked = bytearray(archived([("a.png", b"x")], zipfile.ZIP_STORED))
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        locked[locked.index(mark) + place] |= 1
    ((_, error),) = entries(bytes(locked))
    assert "cannot be unpacked" in str(error)


def test_a_directory_that_is_too_large_is_refused_before_it_is_read():
    body = bytearray(archived([("a.png", b"x")]))
    struct.pack_into("<L", body, body.rindex(b"PK\x05\x06") + 12, 2**31)
    with pytest.raises(Refused, match="at most 5 pictures"):
        entries(bytes(body))
    struct.pack_into("<H", body, body.rindex(b"PK\x05\x06") + 10, 60_000)
    with pytest.raises(Refused, match="at most 5 pictures here, not 60,000"):
        entries(bytes(body))
    far = archived([("a.png", b"x")])
    place = far.rindex(b"PK\x05\x06")
    with pytest.raises(Refused, match="zip64"):
        entries(far[:place] + b"PK\x06\x07" + bytes(16) + far[place:])


def test_folders_and_what_macos_puts_beside_are_no_pictures():
    files = [
        ("folder/", b""),
        ("__MACOSX/._a.png", b"x"),
        ("folder/.DS_Store", b"x"),
        ("folder/a.png", b"ok"),
    ]
    assert entries(archived(files)) == [("folder/a.png", b"ok")]


def test_a_client_that_goes_away_leaves_nothing_held(trained):
    with served(str(trained / "run")) as (address, server, _):
        body = lined([("a", png())] * 300)
        connection = __import__("socket").create_connection(address)
        head = f"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: {LINES[0]}\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        connection.recv(100)
        connection.close()
        assert ask(address, "POST", "/v1/predict", png())[0] == 200
    assert server.state.held == 0
