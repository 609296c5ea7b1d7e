"""The commands that docs/serve.md shows, run as they stand, beside a server."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
from documents import blocks, read
from serving import jpeg, png, served, told

pytest.importorskip("starlette", reason="starlette is not installed")
pytest.importorskip("uvicorn", reason="uvicorn is not installed")

from residua.deploy.server.openapi import describe_api

SHOWN = "http://127.0.0.1:8000"


def _shell():
    shown = [block for block in blocks(read("docs/serve.md"), "sh") if SHOWN in block and "curl" in block]
    return [line for block in shown for line in block.splitlines()]


@pytest.mark.skipif(not all(map(shutil.which, ("curl", "sh", "base64"))), reason="curl is not installed")
def test_every_command_is_answered(trained, tmp_path):
    import zipfile

    (tmp_path / "cat.jpg").write_bytes(jpeg())
    (tmp_path / "dog.png").write_bytes(png())
    with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
        archive.write(tmp_path / "cat.jpg", "cat.jpg")
    lines = [line.replace("target=dog", "target=red") for line in _shell() if not line.startswith("zip ")]
    assert len(lines) > 15
    with served(f"pets={trained / 'run'}") as ((_, port), _, _):
        script = "\n".join(lines).replace(SHOWN, f"http://127.0.0.1:{port}")
        script = script.replace("curl ", "curl --silent --show-error --fail ")
        done = subprocess.run(["sh", "-e"], input=script, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"class"') > 5
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")


def test_every_address_is_described():
    text = read("docs/serve.md").replace("NAME", "{model}").replace("VERSION", "{version}")
    for path in describe_api()["paths"]:
        assert path.partition("/versions/")[0] in text, path
    shown = {re.sub(r"[?'].*", "", line.partition(SHOWN)[2]).split()[0] for line in _shell() if SHOWN in line}
    known = {path.replace("{model}", "pets") for path in describe_api()["paths"]}
    assert shown <= known | {"/openapi.json"}
    short = {path for path in known if "versions" not in path}
    assert short - shown == {"/page/pets", "/v1/models/pets/explain"}


def test_the_description_is_valid():
    checking = pytest.importorskip("openapi_spec_validator", reason="openapi-spec-validator is not installed")
    checking.validate(describe_api())


def test_the_bounds_of_parameters_are_described(trained):
    paths = describe_api()["paths"]
    bounds = {
        entry["name"]: entry["schema"]
        for path in ("/v1/predict", "/v1/explain")
        for entry in paths[path]["post"]["parameters"]
    }
    longest, most = bounds["target"]["maxLength"], bounds["top"]["maximum"]
    wrong = [
        ("/v1/explain?target=", "has no class"),
        (f"/v1/explain?target={'x' * (longest + 1)}", f"of at most {longest} letters"),
        (f"/v1/predict?top={most + 1}", "top takes a whole number"),
    ]
    assert bounds["target"]["minLength"] == 1
    with served(str(trained / "run")) as (address, _, _):
        for path, words in wrong:
            status, answer = told(address, "POST", path, png())
            assert (status, words in answer["error"]) == (400, True), path
        assert told(address, "POST", f"/v1/predict?top={most}", png())[0] == 200
